# By name.
terraform import plumb_cluster_role_binding.operators operators
