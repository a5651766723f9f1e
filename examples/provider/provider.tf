terraform {
  required_providers {
    plumb = {
      source = "plumb/plumb"
    }
  }
}

# Takes its server and credential from KUBECONFIG, or from PLUMB_ENDPOINT, PLUMB_TOKEN and PLUMB_CA_CERTIFICATE. Each can be set
# here as well: kubeconfig = "~/.kube/plumb", or endpoint = "https://plumb.example:7443".
provider "plumb" {}
