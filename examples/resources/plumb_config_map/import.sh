# By project and name.
terraform import plumb_config_map.motd default/motd
