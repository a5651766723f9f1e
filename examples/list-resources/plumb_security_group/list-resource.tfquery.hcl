# Terraform 1.14 or newer: `terraform query` shows them, and writes their configuration with -generate-config-out=FILE.
list "plumb_security_group" "all" {
  provider = plumb
}
