# Instances with the label app = "web" answer on 443 to everybody, and on 22 to their own network.
resource "plumb_security_group" "web" {
  name     = "web"
  selector = { match_labels = { app = "web" } }
  ingress = [
    { protocol = "TCP", port = 443 },
    { protocol = "TCP", port = 22, cidrs = ["10.20.0.0/24"] },
    { protocol = "ICMP", icmp_type = 8 },
  ]
}
