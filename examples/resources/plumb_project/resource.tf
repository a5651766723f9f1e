resource "plumb_project" "team_a" {
  name = "team-a"
}
