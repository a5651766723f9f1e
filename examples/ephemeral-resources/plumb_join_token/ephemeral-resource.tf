# Hosts of this zone may join as long as the run of Terraform lasts.
ephemeral "plumb_join_token" "hosts" {
  zone   = plumb_zone.home.name
  uses   = 2
  revoke = true
}
