# By project and name.
terraform import plumb_instance.web default/web
