data "plumb_zone" "home" {
  name = "home"
}
