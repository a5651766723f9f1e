resource "plumb_instance" "web" {
  name     = "web"
  zone     = plumb_zone.home.name
  offering = plumb_instance_offering.small.name
  image    = plumb_image.debian.name

  interfaces = [{
    name       = "eth0"
    l3_network = plumb_l3_network.lab.name
    addresses  = ["10.20.0.11"] # any free one, if it is left out
  }]

  root_disk_mib = 10240
  ssh_keys      = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGQw7nS0Y2tJ0bJ7m8cYc2w4xq0m8rZ1s5uJmJm8sB2k alice@example.org"]
  timeouts      = { create = "5m" }

  # Instances are placed on hosts of their zone: this one is to be there before them, and go after them.
  depends_on = [plumb_host.host_1]
}
