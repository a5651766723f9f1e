# For a program: what it may do, a role binding says.
resource "plumb_service_account" "deployer" {
  name = "deployer"
}
