# Terraform 1.14 or newer: terraform apply -invoke=action.plumb_uncordon.one
action "plumb_uncordon" "one" {
  config {
    name = "host-1"
  }
}
