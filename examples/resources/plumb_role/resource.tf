resource "plumb_role" "instance_reader" {
  name = "instance-reader"
  rules = [{
    api_groups = ["plumb.dev"]
    resources  = ["instances"]
    verbs      = ["get", "list", "watch"]
  }]
}
