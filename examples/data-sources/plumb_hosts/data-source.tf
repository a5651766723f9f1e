data "plumb_hosts" "all" {
  selector = "rack=a"
}

output "hosts" {
  value = data.plumb_hosts.all.names
}
