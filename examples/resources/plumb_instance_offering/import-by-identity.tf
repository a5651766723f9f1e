# Terraform 1.12 or newer.
import {
  to = plumb_instance_offering.small
  identity = {
    name = "small"
  }
}
