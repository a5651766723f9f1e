//go:build unix

// Command terraform-provider-plumb is what Terraform starts. It does go-plugin's handshake, ends Terraform's TLS, and
// passes the bytes inside it to the provider, which is a Node process that may be running already. It knows nothing of
// what the bytes say.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

func main() {
	err := checkStartedByTerraform()
	if err == nil {
		err = run()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "terraform-provider-plumb: %v\n", err)
		os.Exit(1)
	}
}

// note writes a line that Terraform puts into its log; it shows nothing else of what a plugin writes to stderr.
func note(format string, values ...any) {
	line, err := json.Marshal(map[string]string{"@level": "warn", "@module": "plumb", "@message": fmt.Sprintf(format, values...)})
	if err == nil {
		fmt.Fprintf(os.Stderr, "%s\n", line)
	}
}

func run() error {
	line, serve, err := prepare()
	if err != nil {
		// Terraform hides what a plugin writes to stderr, but shows a first line that is no handshake.
		fmt.Printf("Plumb's provider cannot start: %s\n", strings.ReplaceAll(strings.ReplaceAll(err.Error(), "\n", " "), "|", "/"))
		return err
	}
	fmt.Println(line)
	if err := serve(); err != nil {
		// Terraform shows a plugin's lines to people from one that begins with these words, when a command has failed.
		fmt.Fprintf(os.Stderr, "fatal error: %v\n", err)
		os.Exit(1)
	}
	return nil
}

// prepare returns the handshake line, and what is to be run after it.
func prepare() (string, func() error, error) {
	provider, err := findProvider()
	if err != nil {
		return "", nil, err
	}
	// Here, since Terraform shows what goes wrong before the handshake, and waits a minute for it.
	if err := provider.warmUp(); err != nil {
		return "", nil, err
	}
	listener, line, err := listen()
	if err != nil {
		return "", nil, err
	}
	return line, func() error {
		defer listener.Close()
		return serve(listener, provider)
	}, nil
}
