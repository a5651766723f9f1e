data "plumb_instance_offering" "small" {
  name = "small"
}
