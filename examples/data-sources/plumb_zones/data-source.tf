data "plumb_zones" "all" {}

output "zones" {
  value = data.plumb_zones.all.names
}
