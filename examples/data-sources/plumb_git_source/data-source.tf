data "plumb_git_source" "estate" {
  project = "default"
  name    = "estate"
}
