# By project and name.
terraform import plumb_l3_network.lab default/lab
