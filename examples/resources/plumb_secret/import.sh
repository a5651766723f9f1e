# By project and name.
terraform import plumb_secret.database default/database
