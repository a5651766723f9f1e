# Terraform 1.12 or newer.
import {
  to = plumb_image.debian
  identity = {
    name = "debian"
  }
}
