# Terraform 1.12 or newer.
import {
  to = plumb_l3_network.lab
  identity = {
    name    = "lab"
    project = "default"
  }
}
