data "plumb_role_bindings" "all" {
  project = "default"
}

output "role_bindings" {
  value = data.plumb_role_bindings.all.names
}
