resource "plumb_zone" "home" {
  name        = "home"
  description = "The machines in the cellar."
}
