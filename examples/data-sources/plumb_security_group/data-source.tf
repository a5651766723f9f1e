data "plumb_security_group" "web" {
  project = "default"
  name    = "web"
}
