# Terraform 1.12 or newer.
import {
  to = plumb_project.team_a
  identity = {
    name = "team-a"
  }
}
