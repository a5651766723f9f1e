output "placed" {
  value = provider::plumb::spread(["web-0", "web-1", "db-0"], ["host-a", "host-b"])
}
