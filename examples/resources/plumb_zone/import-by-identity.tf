# Terraform 1.12 or newer.
import {
  to = plumb_zone.home
  identity = {
    name = "home"
  }
}
