# An Ethernet segment that spans the hosts of the zone.
resource "plumb_l2_network" "lab" {
  name = "lab"
  zone = plumb_zone.home.name
  type = "vxlan"
  vni  = 100
}

# One that lies on a NIC of every host, beside what is there already.
resource "plumb_l2_network" "office" {
  name               = "office"
  zone               = plumb_zone.home.name
  type               = "flat"
  physical_interface = "eno2"
}
