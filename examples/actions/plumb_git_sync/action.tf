# Terraform 1.14 or newer: terraform apply -invoke=action.plumb_git_sync.one
action "plumb_git_sync" "one" {
  config {
    name = "estate"
  }
}
