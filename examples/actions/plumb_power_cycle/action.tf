# Terraform 1.14 or newer: terraform apply -invoke=action.plumb_power_cycle.one
action "plumb_power_cycle" "one" {
  config {
    name = "web-0"
  }
}
