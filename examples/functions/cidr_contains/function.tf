output "inside" {
  value = provider::plumb::cidr_contains("10.0.0.0/8", "10.20.0.0/24")
}
