data "plumb_git_sources" "all" {
  project = "default"
}

output "git_sources" {
  value = data.plumb_git_sources.all.names
}
