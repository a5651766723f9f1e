data "plumb_images" "all" {}

output "images" {
  value = data.plumb_images.all.names
}
