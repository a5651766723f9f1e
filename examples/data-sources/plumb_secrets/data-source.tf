data "plumb_secrets" "all" {
  project = "default"
}

output "secrets" {
  value = data.plumb_secrets.all.names
}
