resource "plumb_cluster_role" "zone_reader" {
  name = "zone-reader"
  rules = [{
    api_groups = ["plumb.dev"]
    resources  = ["zones", "hosts"]
    verbs      = ["get", "list", "watch"]
  }]
}
