resource "plumb_image" "debian" {
  name   = "debian"
  url    = "https://images.example.org/debian-13-amd64.qcow2"
  sha256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
  format = "qcow2"
}
