# By project and name.
terraform import plumb_git_source.estate default/estate
