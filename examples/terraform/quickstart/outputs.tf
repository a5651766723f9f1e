output "instances" {
  description = "Where every instance runs and the addresses it holds."
  value = {
    for instance in plumb_instance.web : instance.name => {
      host      = instance.status.host
      addresses = instance.status.interfaces[0].addresses
    }
  }
}
