data "plumb_service_account" "deployer" {
  project = "default"
  name    = "deployer"
}
