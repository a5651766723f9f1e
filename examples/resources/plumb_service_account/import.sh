# By project and name.
terraform import plumb_service_account.deployer default/deployer
