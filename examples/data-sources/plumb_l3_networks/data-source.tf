data "plumb_l3_networks" "all" {
  project = "default"
}

output "l3_networks" {
  value = data.plumb_l3_networks.all.names
}
