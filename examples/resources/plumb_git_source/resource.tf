# The repository declares what is in the project: it is compared every five minutes.
resource "plumb_git_source" "estate" {
  name             = "estate"
  url              = "https://git.example.org/estate.git"
  ref              = "main"
  path             = "production"
  interval_seconds = 300
  prune            = true
}
