data "plumb_config_maps" "all" {
  project = "default"
}

output "config_maps" {
  value = data.plumb_config_maps.all.names
}
