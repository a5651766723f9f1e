data "plumb_projects" "all" {}

output "projects" {
  value = data.plumb_projects.all.names
}
