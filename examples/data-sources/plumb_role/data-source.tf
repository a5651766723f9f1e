data "plumb_role" "instance_reader" {
  project = "default"
  name    = "instance-reader"
}
