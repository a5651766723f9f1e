# Terraform 1.12 or newer.
import {
  to = plumb_role.instance_reader
  identity = {
    name    = "instance-reader"
    project = "default"
  }
}
