module plumb.dev/terraform-provider-plumb

go 1.25.0

require (
	github.com/klauspost/compress v1.20.4
	golang.org/x/sys v0.45.0
)
