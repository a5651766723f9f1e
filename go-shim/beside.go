//go:build unix && !packed

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// The oldest Node that runs the bundle.
const oldestNode = 26

// findProgram looks beside the binary itself, where `npm run build` has put the bundle. What `npm run release` makes carries it.
func findProgram() (*program, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		self = real
	}
	beside := filepath.Dir(self)
	bundle := filepath.Join(beside, "provider.mjs")
	digest, err := digestOf(bundle)
	if err != nil {
		return nil, fmt.Errorf("the provider's program is not beside the binary, where npm run build puts it: %w", err)
	}
	node, err := findNode(beside)
	if err != nil {
		return nil, err
	}
	return &program{node: node, bundle: bundle, digest: digest}, nil
}

func digestOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// findNode takes PLUMB_NODE, else the runtime that the build has noted in provider.json, else node from PATH.
func findNode(beside string) (string, error) {
	if node := os.Getenv("PLUMB_NODE"); node != "" {
		return node, nil
	}
	var noted struct {
		Node string `json:"node"`
	}
	if text, err := os.ReadFile(filepath.Join(beside, "provider.json")); err == nil {
		if err := json.Unmarshal(text, &noted); err != nil {
			return "", fmt.Errorf("provider.json beside the binary cannot be read: %w", err)
		}
		if _, err := os.Stat(noted.Node); err == nil {
			return noted.Node, nil
		}
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return "", fmt.Errorf("node is not in PATH: install Node %d or newer, or name one in PLUMB_NODE", oldestNode)
	}
	version, err := exec.Command(node, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", node, err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(version), "v"), ".")
	if number, err := strconv.Atoi(major); err != nil || number < oldestNode {
		return "", fmt.Errorf("%s is Node %s: the provider needs Node %d or newer; name one in PLUMB_NODE", node, strings.TrimSpace(string(version)), oldestNode)
	}
	return node, nil
}

// markUsed has nothing to do: what the build has put there is not ours to remove.
func (p *program) markUsed() {}
