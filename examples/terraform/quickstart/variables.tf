variable "image_url" {
  description = "Where hosts fetch the image: https, http, or file (a path on every host). `npm start` fills it in."
  type        = string
}

variable "image_sha256" {
  description = "SHA-256 of that file."
  type        = string
}

variable "image_format" {
  description = "qcow2 or raw."
  type        = string
  default     = "qcow2"
}

variable "host" {
  description = "Name of the host, as its agent was started with."
  type        = string
  default     = "host-1"
}

variable "instances" {
  description = "How many instances to run, at most nine: they get 10.20.0.11 and up."
  type        = number
  default     = 2

  validation {
    condition     = var.instances >= 0 && var.instances <= 9
    error_message = "The quickstart counts its addresses with one digit: 0 to 9 instances."
  }
}
