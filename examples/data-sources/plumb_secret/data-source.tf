data "plumb_secret" "database" {
  project = "default"
  name    = "database"
}
