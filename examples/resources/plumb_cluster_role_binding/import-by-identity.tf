# Terraform 1.12 or newer.
import {
  to = plumb_cluster_role_binding.operators
  identity = {
    name = "operators"
  }
}
