# Terraform 1.12 or newer.
import {
  to = plumb_host.host_1
  identity = {
    name = "host-1"
  }
}
