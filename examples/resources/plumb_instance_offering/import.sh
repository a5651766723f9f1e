# By name.
terraform import plumb_instance_offering.small small
