data "plumb_security_groups" "all" {}

output "security_groups" {
  value = data.plumb_security_groups.all.names
}
