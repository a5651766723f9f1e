data "plumb_role_binding" "deployer" {
  project = "default"
  name    = "deployer"
}
