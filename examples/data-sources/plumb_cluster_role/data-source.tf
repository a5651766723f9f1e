data "plumb_cluster_role" "zone_reader" {
  name = "zone-reader"
}
