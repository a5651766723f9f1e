# Terraform 1.12 or newer.
import {
  to = plumb_cluster_role.zone_reader
  identity = {
    name = "zone-reader"
  }
}
