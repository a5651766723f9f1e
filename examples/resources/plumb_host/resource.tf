# The machine whose agent runs with `--host host-1`.
resource "plumb_host" "host_1" {
  name   = "host-1"
  labels = { rack = "a" }
  zone   = plumb_zone.home.name

  # Keep a core and 2 GiB for the machine itself.
  capacity             = { cpus = 7, memory_mib = 30720 }
  cpu_overcommit_ratio = 2
}
