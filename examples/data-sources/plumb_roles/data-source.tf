data "plumb_roles" "all" {
  project = "default"
}

output "roles" {
  value = data.plumb_roles.all.names
}
