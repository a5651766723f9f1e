data "plumb_config_map" "motd" {
  project = "default"
  name    = "motd"
}
