data "plumb_cluster_roles" "all" {}

output "cluster_roles" {
  value = data.plumb_cluster_roles.all.names
}
