# By name.
terraform import plumb_host.host_1 host-1
