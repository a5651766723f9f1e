# Terraform 1.14 or newer: terraform apply -invoke=action.plumb_cordon.one
action "plumb_cordon" "one" {
  config {
    name = "host-1"
  }
}
