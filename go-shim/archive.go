//go:build unix && packed

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// The file of a part that is the runtime.
const runtimeName = "node"

// archive is what a released binary carries: compressed files, and what they must be when they are unpacked.
type archive struct {
	files  fs.FS
	folder string
	// Runtime is Node, and Program what it runs with all that it reads.
	Runtime part `json:"runtime"`
	Program part `json:"program"`
}

// part is unpacked into a folder of its own.
type part struct {
	Name  string       `json:"name"`
	Files []packedFile `json:"files"`
}

type packedFile struct {
	// Name in the folder; with .zst behind it, in the archive.
	Name string `json:"name"`
	Size int64  `json:"size"`
	// SHA256 of the content, in hexadecimal digits.
	SHA256 string `json:"sha256"`
	Mode   uint32 `json:"mode"`
}

func readArchive(files fs.FS, folder string) (*archive, error) {
	text, err := fs.ReadFile(files, folder+"/manifest.json")
	if err != nil {
		return nil, fmt.Errorf("the binary is damaged, since it carries no manifest: %w", err)
	}
	found := &archive{files: files, folder: folder}
	if err := json.Unmarshal(text, found); err != nil {
		return nil, fmt.Errorf("the binary is damaged, since its manifest cannot be read: %w", err)
	}
	return found, nil
}

// digest names the content of both parts.
func (a *archive) digest() string { return a.Runtime.name() + " " + a.Program.name() }

// name of the folder: of the part and of its content.
func (p part) name() string {
	hash := sha256.New()
	for _, one := range p.Files {
		fmt.Fprintf(hash, "%s %o %s\n", one.Name, one.Mode, one.SHA256)
	}
	return p.Name + "-" + hex.EncodeToString(hash.Sum(nil)[:16])
}

func isPartName(name string) bool {
	return strings.HasPrefix(name, "runtime-") || strings.HasPrefix(name, "program-")
}

func (p part) size() int64 {
	var sum int64
	for _, one := range p.Files {
		sum += one.Size
	}
	return sum
}

// isWhole says whether every file is there, is ours, and has its size.
func (p part) isWhole(folder string) bool {
	for _, one := range p.Files {
		info, err := os.Lstat(filepath.Join(folder, one.Name))
		if err != nil || !info.Mode().IsRegular() || info.Size() != one.Size || !ownedByUs(info) {
			return false
		}
	}
	return true
}

// extract writes a file of the archive and compares it with its hash. What is written is on the disk when it returns.
func (a *archive) extract(one packedFile, path string) error {
	packed, err := a.files.Open(a.folder + "/" + one.Name + ".zst")
	if err != nil {
		return fmt.Errorf("the binary is damaged: %w", err)
	}
	defer packed.Close()
	unpacked, err := zstd.NewReader(packed, zstd.WithDecoderMaxWindow(128<<20))
	if err != nil {
		return err
	}
	defer unpacked.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, os.FileMode(one.Mode))
	if err != nil {
		return err
	}
	defer out.Close()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(out, hash), io.LimitReader(unpacked, one.Size+1)); err != nil {
		return err
	}
	if digest := hex.EncodeToString(hash.Sum(nil)); digest != one.SHA256 {
		return fmt.Errorf("the binary is damaged: %s in it has the hash %s, and should have %s", one.Name, digest, one.SHA256)
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return out.Close()
}
