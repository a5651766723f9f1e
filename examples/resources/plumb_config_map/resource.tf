resource "plumb_config_map" "motd" {
  name = "motd"
  data = { "motd" = "Welcome." }
}
