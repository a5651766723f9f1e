# Only what `terraform providers schema -json` needs to know which provider is meant.
terraform {
  required_providers {
    plumb = {
      source = "plumb/plumb"
    }
  }
}
