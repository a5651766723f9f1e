//go:build unix && packed

package main

import (
	"embed"
	"os"
)

// What `npm run release` puts beside the source before it builds: manifest.json, and the files that it names.
//
//go:embed payload
var payload embed.FS

// findProgram unpacks what this binary carries, unless that was done before. PLUMB_NODE names another runtime.
func findProgram() (*program, error) {
	carried, err := readArchive(payload, "payload")
	if err != nil {
		return nil, err
	}
	runtime, folder, err := carried.unpack()
	if err != nil {
		return nil, err
	}
	if node := os.Getenv("PLUMB_NODE"); node != "" {
		runtime = node
	}
	return &program{node: runtime, bundle: folder + "/provider.mjs", digest: carried.digest()}, nil
}
