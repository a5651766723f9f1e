# By project and name.
terraform import plumb_role.instance_reader default/instance-reader
