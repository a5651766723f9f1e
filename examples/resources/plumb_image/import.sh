# By name.
terraform import plumb_image.debian debian
