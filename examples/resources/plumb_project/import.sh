# By name.
terraform import plumb_project.team_a team-a
