# The state lies on Plumb's server. Before the first init: plumb state create prod
# The token comes from TF_HTTP_PASSWORD, the server's CA from TF_HTTP_CLIENT_CA_CERTIFICATE_PEM.
terraform {
  backend "http" {
    address        = "https://127.0.0.1:7443/terraform/states/default/prod"
    lock_address   = "https://127.0.0.1:7443/terraform/states/default/prod"
    unlock_address = "https://127.0.0.1:7443/terraform/states/default/prod"
    username       = "token"
  }
}

resource "terraform_data" "example" {
  input = "kept on the server"
}
