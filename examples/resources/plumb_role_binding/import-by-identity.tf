# Terraform 1.12 or newer.
import {
  to = plumb_role_binding.deployer
  identity = {
    name    = "deployer"
    project = "default"
  }
}
