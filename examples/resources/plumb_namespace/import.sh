# By name.
terraform import plumb_namespace.team_a team-a
