variable "networks" {
  type    = list(string)
  default = ["10.20.0.0/24", "10.20.1.0/24"]

  validation {
    condition     = !provider::plumb::cidr_overlaps(var.networks)
    error_message = "Two of these networks have addresses in common."
  }
}
