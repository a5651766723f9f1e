data "plumb_l2_networks" "all" {}

output "l2_networks" {
  value = data.plumb_l2_networks.all.names
}
