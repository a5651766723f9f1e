# Terraform 1.12 or newer.
import {
  to = plumb_security_group.web
  identity = {
    name    = "web"
    project = "default"
  }
}
