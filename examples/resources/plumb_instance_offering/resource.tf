resource "plumb_instance_offering" "small" {
  name       = "small"
  cpus       = 1
  memory_mib = 512
}
