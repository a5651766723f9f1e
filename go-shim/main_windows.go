// Command terraform-provider-plumb is what Terraform starts. On Windows it only says that it cannot work there: Node listens on no
// socket that Terraform's plugins could use on this system.
package main

import (
	"fmt"
	"os"
)

func main() {
	// Terraform shows a first line that is no handshake.
	fmt.Println("Plumb's provider cannot start: it does not run on Windows yet; run Terraform in WSL, or on Linux or macOS")
	os.Exit(1)
}
