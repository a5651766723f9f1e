# An IP subnet with DHCP and DNS. Every host answers for the gateway.
resource "plumb_l3_network" "lab" {
  name       = "lab"
  l2_network = plumb_l2_network.lab.name
  ipv4 = {
    cidr    = "10.20.0.0/24"
    gateway = "10.20.0.1"
    ranges  = [{ start = "10.20.0.10", end = "10.20.0.200" }]
  }
  dns = { domain = "lab.internal" }
}
