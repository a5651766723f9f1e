# Terraform 1.12 or newer.
import {
  to = plumb_service_account.deployer
  identity = {
    name    = "deployer"
    project = "default"
  }
}
