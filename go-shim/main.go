// Command terraform-provider-plumb is what Terraform starts. It does go-plugin's handshake, ends Terraform's TLS, and
// passes the bytes inside it to the provider, which is a Node process that may be running already. It knows nothing of
// what the bytes say.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "terraform-provider-plumb: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	if err := checkStartedByTerraform(); err != nil {
		return err
	}
	provider, err := findProvider()
	if err != nil {
		return err
	}
	// The provider is made ready before the handshake: Terraform shows what goes wrong up to there, and waits a minute.
	if err := provider.warmUp(); err != nil {
		return err
	}
	listener, line, err := listen()
	if err != nil {
		return err
	}
	defer listener.Close()
	logs, err := provider.relayLogs()
	if err != nil {
		return err
	}
	fmt.Println(line)
	return serve(listener, provider, logs)
}
