//go:build unix

package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Names the folder in which a released binary unpacks what it carries; the user's cache folder, if it is not set.
const cacheVariable = "PLUMB_PROVIDER_CACHE"

// program says what is to be run.
type program struct {
	// node is the runtime, and bundle what it runs.
	node, bundle string
	// digest tells programs apart: other versions have other processes.
	digest string
}

// provider says where the provider's process is to be found, and how it is started.
type provider struct {
	program
	// socket is where the process listens. Its name holds the digest of the program.
	socket string
	// folder holds the socket, its lock and the output of the process. Only the user can enter it.
	folder string
	// temporary says that no other shim finds the folder: it goes with the process.
	temporary bool
	// single says that the process is for this shim alone, and ends with it.
	single bool
	// id names this shim to the process.
	id string
	// control stays open as long as we and the process live. Log lines come through it.
	control net.Conn
}

// findProvider returns the program, and the place where a process that runs it listens or is to listen.
func findProvider() (*provider, error) {
	single, err := isSingle(os.Getenv("PLUMB_PROVIDER_WARM"))
	if err != nil {
		return nil, err
	}
	run, err := findProgram()
	if err != nil {
		return nil, err
	}
	p := &provider{program: *run, single: single}
	if single {
		p.temporary = true
		p.folder, err = os.MkdirTemp("", "plumb-provider-")
	} else {
		p.folder, p.temporary, err = runtimeFolder()
	}
	if err != nil {
		return nil, err
	}
	name := sha256.Sum256([]byte(p.digest + "\n" + p.node))
	p.socket = filepath.Join(p.folder, hex.EncodeToString(name[:8])+".sock")
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	p.id = hex.EncodeToString(id[:])
	return p, nil
}

// isSingle says whether each run has a process of its own, as PLUMB_PROVIDER_WARM=0 asks for.
func isSingle(setting string) (bool, error) {
	switch strings.ToLower(setting) {
	case "", "1", "true", "on", "yes":
		return false, nil
	case "0", "false", "off", "no":
		return true, nil
	}
	return false, fmt.Errorf("PLUMB_PROVIDER_WARM is %q: set it to 0 for a process for each run, or to 1", setting)
}

// errorIn returns what a process said why it ended, without its stack; empty when it said nothing.
func errorIn(output []byte) string {
	const most = 400
	for _, line := range bytes.Split(output, []byte("\n")) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "at ") || !strings.Contains(text, "rror") && !strings.Contains(text, "FATAL") {
			continue
		}
		if len(text) > most {
			text = text[:most] + "…"
		}
		return text
	}
	return ""
}
