data "plumb_instance" "web" {
  project = "default"
  name    = "web"
}
