# By name.
terraform import plumb_l2_network.lab lab
