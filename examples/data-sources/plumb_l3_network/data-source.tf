data "plumb_l3_network" "lab" {
  project = "default"
  name    = "lab"
}
