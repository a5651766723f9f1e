resource "plumb_cluster_role_binding" "operators" {
  name     = "operators"
  role_ref = { api_group = "rbac.authorization.k8s.io", kind = "ClusterRole", name = plumb_cluster_role.zone_reader.name }
  subjects = [{
    api_group = "rbac.authorization.k8s.io"
    kind      = "Group"
    name      = "operators"
  }]
}
