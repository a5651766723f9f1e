data "plumb_host" "host_1" {
  name = "host-1"
}
