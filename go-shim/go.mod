module plumb.dev/terraform-provider-plumb

go 1.22
