data "plumb_l2_network" "lab" {
  name = "lab"
}
