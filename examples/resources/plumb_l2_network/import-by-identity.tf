# Terraform 1.12 or newer.
import {
  to = plumb_l2_network.lab
  identity = {
    name = "lab"
  }
}
