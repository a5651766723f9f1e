data "plumb_service_accounts" "all" {
  project = "default"
}

output "service_accounts" {
  value = data.plumb_service_accounts.all.names
}
