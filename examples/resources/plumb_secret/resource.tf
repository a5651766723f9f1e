# Values are in base64. They are stored encrypted by the server, and lie in Terraform's state: protect that.
resource "plumb_secret" "database" {
  name = "database"
  data = { password = base64encode("correct horse battery staple") }
}
