//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
)

// What the process takes over from the run that happens to start it: where things are, and how people are spoken to. It serves
// other runs too, of other shells: what loads code, changes what is trusted, or is a credential of this one must not reach them.
var kept = map[string]bool{"PATH": true, "HOME": true, "USER": true, "LOGNAME": true, "TMPDIR": true, "TZ": true, "LANG": true}

func isKept(name string) bool {
	return kept[name] || strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "XDG_")
}

// environmentOfProcess returns the entries that are kept.
func environmentOfProcess(entries []string) []string {
	var of []string
	for _, entry := range entries {
		if name, _, _ := strings.Cut(entry, "="); isKept(name) {
			of = append(of, entry)
		}
	}
	return of
}

// What a connection is told beside that: what the provider itself reads, proxies, and what programs that a kubeconfig names for
// a credential usually need. A person adds names in PLUMB_PROVIDER_ENV.
var told = map[string]bool{
	"SHELL": true, "KUBECONFIG": true, "HTTP_PROXY": true, "HTTPS_PROXY": true, "NO_PROXY": true, "ALL_PROXY": true,
	"SSH_AUTH_SOCK": true, "DBUS_SESSION_BUS_ADDRESS": true, "GNUPGHOME": true, "KRB5CCNAME": true, "KRB5_CONFIG": true,
}

var toldPrefixes = []string{
	"PLUMB_", "KUBERNETES_", "AWS_", "AZURE_", "AAD_", "GOOGLE_", "CLOUDSDK_", "OCI_", "DIGITALOCEAN_", "VAULT_", "TELEPORT_", "OIDC_",
}

const addedNames = "PLUMB_PROVIDER_ENV"

// environmentOfRun returns what a connection is told of the shell that Terraform was started from.
func environmentOfRun(entries []string) map[string]string {
	added := map[string]bool{}
	for _, name := range strings.FieldsFunc(os.Getenv(addedNames), func(r rune) bool { return r == ',' || r == ' ' }) {
		added[name] = true
	}
	of := map[string]string{}
	for _, entry := range entries {
		name, value, found := strings.Cut(entry, "=")
		if found && (isKept(name) || isTold(name) || added[name]) {
			of[name] = value
		}
	}
	return of
}

func isTold(name string) bool {
	// Proxies are written in small letters, too.
	if told[name] || strings.HasSuffix(name, "_proxy") && told[strings.ToUpper(name)] {
		return true
	}
	for _, prefix := range toldPrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// workspace returns the name of Terraform's workspace in this folder, as Terraform finds it: its variable, else what
// `terraform workspace select` has noted, else the default.
func workspace() string {
	if name := os.Getenv("TF_WORKSPACE"); name != "" {
		return name
	}
	data := os.Getenv("TF_DATA_DIR")
	if data == "" {
		data = ".terraform"
	}
	if noted, err := os.ReadFile(filepath.Join(data, "environment")); err == nil {
		if name := strings.TrimSpace(string(noted)); name != "" {
			return name
		}
	}
	return "default"
}

// logLevel returns what Terraform was asked to log of providers, in small letters; `off` when nothing.
func logLevel() string {
	for _, name := range []string{"TF_LOG_PROVIDER", "TF_LOG"} {
		if level := os.Getenv(name); level != "" {
			return strings.ToLower(level)
		}
	}
	return "off"
}
