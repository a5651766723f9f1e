//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Links on a way; Linux follows as many.
const mostLinks = 40

// The longest path of a socket is 108 bytes on Linux and 104 on others, with a zero at its end; our names take 22 and a slash.
const longestFolder = 104 - 1 - 23

// runtimeFolder makes the folder for sockets, and says whether it is for this process alone. A folder that another user could
// have prepared, or could put another one in the place of, is not used: who answers there would be given the token. The next
// place is taken instead, so that nobody can block the provider by making the folder first.
func runtimeFolder() (string, bool, error) {
	var last error
	for _, candidate := range candidates() {
		folder, err := privateFolder(candidate[0], candidate[1])
		if err == nil && len(folder) > longestFolder {
			err = fmt.Errorf("%s is too long for the path of a socket", folder)
		}
		if err == nil {
			if last != nil {
				note("%v; the provider's sockets are in %s", last, folder)
			}
			return folder, false, nil
		}
		var mine *openToOthers
		if errors.As(err, &mine) {
			return "", false, err
		}
		if last == nil {
			last = err
		}
	}
	folder, err := os.MkdirTemp("", "plumb-provider-")
	if err != nil {
		return "", false, err
	}
	note("%v; the provider's sockets are in %s, and each run starts a process of its own", last, folder)
	return folder, true, nil
}

// candidates lists parents and names, the best first.
func candidates() [][2]string {
	var found [][2]string
	if runtime := os.Getenv("XDG_RUNTIME_DIR"); runtime != "" {
		found = append(found, [2]string{runtime, "plumb-provider"})
	}
	found = append(found, [2]string{os.TempDir(), fmt.Sprintf("plumb-provider-%d", os.Getuid())})
	if cache, err := os.UserCacheDir(); err == nil {
		found = append(found, [2]string{cache, "plumb-provider"})
	}
	return found
}

// privateFolder makes the folder where its parent is there and safe, and returns its real path.
func privateFolder(parent, name string) (string, error) {
	safe, err := walk(parent)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(safe, name)
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || !ownedByUs(info) {
		return "", fmt.Errorf("%s is not a folder of yours", folder)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", &openToOthers{folder}
	}
	return folder, nil
}

// openToOthers is a folder of ours with a mode that it never had from us: what is in it cannot be believed.
type openToOthers struct{ folder string }

func (o *openToOthers) Error() string {
	return fmt.Sprintf("%s must be a folder of yours that nobody else can enter (mode 0700): remove it", o.folder)
}

// walk returns the real path of a folder, after it has seen that nobody but root and we can put another folder or link in the
// place of one on the way.
func walk(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	at := "/"
	left := strings.Split(path, "/")
	links := 0
	for len(left) > 0 {
		name := left[0]
		left = left[1:]
		if name == "" || name == "." {
			continue
		}
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		if err != nil {
			return "", err
		}
		if err := checkOnTheWay(next, info); err != nil {
			return "", err
		}
		if info.Mode()&os.ModeSymlink == 0 {
			if !info.IsDir() {
				return "", fmt.Errorf("%s is no folder", next)
			}
			at = next
			continue
		}
		if links++; links > mostLinks {
			return "", fmt.Errorf("%s has too many links on its way", path)
		}
		target, err := os.Readlink(next)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(at, target)
		}
		left = append(strings.Split(filepath.Clean(target), "/"), left...)
		at = "/"
	}
	return at, nil
}

func checkOnTheWay(path string, info os.FileInfo) error {
	if !trustedOwner(info) {
		return fmt.Errorf("%s belongs to another user, who could replace what is below it", path)
	}
	// What a sticky folder holds can be moved by its owner only; the mode of a link means nothing.
	if info.Mode()&(os.ModeSymlink|os.ModeSticky) != 0 || info.Mode().Perm()&writableBy(info) == 0 {
		return nil
	}
	return fmt.Errorf("%s can be written by other users, who could replace what is below it", path)
}
