# Terraform 1.14 or newer: `terraform query` shows them, and writes their configuration with -generate-config-out=FILE.
list "plumb_l3_network" "all" {
  provider = plumb

  config {
    project = "default"
  }
}
