data "plumb_namespace" "team_a" {
  name = "team-a"
}
