data "plumb_cluster_role_bindings" "all" {}

output "cluster_role_bindings" {
  value = data.plumb_cluster_role_bindings.all.names
}
