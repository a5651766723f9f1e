resource "plumb_role_binding" "deployer" {
  name     = "deployer"
  role_ref = { api_group = "rbac.authorization.k8s.io", kind = "Role", name = plumb_role.instance_reader.name }
  subjects = [{
    kind      = "ServiceAccount"
    name      = plumb_service_account.deployer.name
    namespace = "default"
  }]
}
