data "plumb_image" "debian" {
  name = "debian"
}
