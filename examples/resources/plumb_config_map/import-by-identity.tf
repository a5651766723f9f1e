# Terraform 1.12 or newer.
import {
  to = plumb_config_map.motd
  identity = {
    name    = "motd"
    project = "default"
  }
}
