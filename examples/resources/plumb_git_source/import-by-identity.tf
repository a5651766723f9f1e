# Terraform 1.12 or newer.
import {
  to = plumb_git_source.estate
  identity = {
    name    = "estate"
    project = "default"
  }
}
