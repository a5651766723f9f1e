# In no plan and in no state: it can be given to a provider block, a provisioner or a write-only attribute.
ephemeral "plumb_service_account_token" "deployer" {
  name               = plumb_service_account.deployer.name
  expiration_seconds = 900
}
