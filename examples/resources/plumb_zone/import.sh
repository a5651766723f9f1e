# By name.
terraform import plumb_zone.home home
