# By project and name.
terraform import plumb_security_group.web default/web
