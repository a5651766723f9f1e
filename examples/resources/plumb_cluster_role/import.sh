# By name.
terraform import plumb_cluster_role.zone_reader zone-reader
