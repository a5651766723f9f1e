# A private cloud on one machine: a zone with a host, a network, and two instances with addresses of their own.
terraform {
  required_providers {
    plumb = {
      source = "plumb/plumb"
    }
  }
}

# Takes its endpoint and credentials from KUBECONFIG (or PLUMB_ENDPOINT and PLUMB_TOKEN).
provider "plumb" {}

resource "plumb_zone" "home" {
  name = "home"
}

# The machine whose agent runs with `--host host-1`.
resource "plumb_host" "host" {
  name   = var.host
  labels = { rack = "a" }
  zone   = plumb_zone.home.name
}

# An Ethernet segment that spans the hosts of the zone.
resource "plumb_l2_network" "lab" {
  name = "lab"
  zone = plumb_zone.home.name
  type = "vxlan"
  vni  = 100
}

# An IP subnet on it, with DHCP and DNS. Every host answers for the gateway.
resource "plumb_l3_network" "lab" {
  name       = "lab"
  l2_network = plumb_l2_network.lab.name
  ipv4       = { cidr = "10.20.0.0/24", gateway = "10.20.0.1", ranges = [{ start = "10.20.0.10", end = "10.20.0.200" }] }
  dns        = { domain = "lab.internal" }
}

resource "plumb_instance_offering" "small" {
  name       = "small"
  cpus       = 1
  memory_mib = 128
}

resource "plumb_image" "tiny" {
  name   = "tiny"
  url    = var.image_url
  sha256 = var.image_sha256
  format = var.image_format
}

resource "plumb_instance" "web" {
  count      = var.instances
  name       = "web-${count.index}"
  zone       = plumb_zone.home.name
  offering   = plumb_instance_offering.small.name
  image      = plumb_image.tiny.name
  interfaces = [{ name = "eth0", l3_network = plumb_l3_network.lab.name, addresses = ["10.20.0.1${count.index + 1}"] }]
  timeouts   = { create = "5m" }

  # Instances are placed on hosts of their zone: this one is to be there before them, and go after them.
  depends_on = [plumb_host.host]
}
