# Terraform 1.14 or newer: terraform apply -invoke=action.plumb_retry.one
action "plumb_retry" "one" {
  config {
    name = "web-0"
  }
}
