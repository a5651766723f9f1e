package main

import "strings"

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

// environmentOfRun returns what a connection is told: everything that a proxy, a kubeconfig or the program that it names for a
// credential may need, but not what is between Terraform and its configuration or its plug-ins.
func environmentOfRun(entries []string) map[string]string {
	of := map[string]string{}
	for _, entry := range entries {
		name, value, found := strings.Cut(entry, "=")
		if !found || name == "" || strings.HasPrefix(name, "TF_") || strings.HasPrefix(name, "PLUGIN_") {
			continue
		}
		of[name] = value
	}
	return of
}
