data "plumb_cluster_role_binding" "operators" {
  name = "operators"
}
