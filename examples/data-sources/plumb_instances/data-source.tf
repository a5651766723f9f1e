data "plumb_instances" "all" {
  project = "default"
}

output "instances" {
  value = data.plumb_instances.all.names
}
