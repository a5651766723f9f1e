# By project and name.
terraform import plumb_role_binding.deployer default/deployer
