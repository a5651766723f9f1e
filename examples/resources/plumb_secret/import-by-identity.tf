# Terraform 1.12 or newer.
import {
  to = plumb_secret.database
  identity = {
    name    = "database"
    project = "default"
  }
}
