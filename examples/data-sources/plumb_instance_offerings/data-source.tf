data "plumb_instance_offerings" "all" {}

output "instance_offerings" {
  value = data.plumb_instance_offerings.all.names
}
