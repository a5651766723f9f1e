# Terraform 1.12 or newer.
import {
  to = plumb_instance.web
  identity = {
    name    = "web"
    project = "default"
  }
}
