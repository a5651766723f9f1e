//go:build unix && packed

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What no process has used for so long is removed when another version is unpacked.
const unusedFor = 30 * 24 * time.Hour

// unpack returns the paths of the runtime and of the folder with the program. It takes the first cache folder that others cannot
// write to and in which there is room. Each part lies in a folder that bears the hash of its content, so several versions live
// beside each other, and a new version with the same runtime unpacks the program alone.
func (a *archive) unpack() (runtime, program string, err error) {
	var reasons []string
	for _, candidate := range cacheCandidates() {
		cache, err := privateFolder(candidate[0], candidate[1])
		if err == nil {
			if runtime, err = a.ensure(cache, a.Runtime); err == nil {
				if program, err = a.ensure(cache, a.Program); err == nil {
					if len(reasons) > 0 {
						note("%s; the provider is unpacked in %s", strings.Join(reasons, "; "), cache)
					}
					return filepath.Join(runtime, runtimeName), program, nil
				}
			}
		}
		reasons = append(reasons, reason(filepath.Join(candidate[0], candidate[1]), err))
	}
	return "", "", fmt.Errorf("its runtime (%d MB) cannot be unpacked: %s. Free some space there, or name a folder of yours in %s",
		a.Runtime.size()>>20, strings.Join(reasons, "; "), cacheVariable)
}

// reason leaves out the path of a system call, which is said already, or is of no use.
func reason(folder string, err error) string {
	var of *os.PathError
	if errors.As(err, &of) {
		return fmt.Sprintf("%s: %v", folder, of.Err)
	}
	return err.Error()
}

// cacheCandidates lists parents and names, the best first. A folder that a person names is the only one.
func cacheCandidates() [][2]string {
	if named := os.Getenv(cacheVariable); named != "" {
		return [][2]string{{filepath.Dir(named), filepath.Base(named)}}
	}
	var found [][2]string
	if cache, err := os.UserCacheDir(); err == nil {
		// A user's first program may find no cache folder.
		os.MkdirAll(cache, 0o700)
		found = append(found, [2]string{cache, "plumb-provider"})
	}
	return append(found, [2]string{os.TempDir(), fmt.Sprintf("plumb-provider-cache-%d", os.Getuid())})
}

// ensure returns the folder of a part, whole. It is verified while it is unpacked; later only the sizes are compared, which costs
// nothing and finds what a full disk or a crash has left.
func (a *archive) ensure(cache string, part part) (string, error) {
	folder := filepath.Join(cache, part.name())
	if part.isWhole(folder) {
		return folder, nil
	}
	lock, err := lockFile(folder + ".lock")
	if err != nil {
		return "", err
	}
	defer lock.Close()
	// Another one may have unpacked it while we waited for the lock.
	if part.isWhole(folder) {
		return folder, nil
	}
	leftovers, _ := filepath.Glob(folder + ".part-*")
	for _, left := range append(leftovers, folder) {
		if err := os.RemoveAll(left); err != nil {
			return "", err
		}
	}
	building, err := os.MkdirTemp(cache, part.name()+".part-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(building)
	for _, one := range part.Files {
		if err := a.extract(one, filepath.Join(building, one.Name)); err != nil {
			return "", err
		}
	}
	if err := os.Rename(building, folder); err != nil {
		return "", err
	}
	removeUnused(cache, folder)
	return folder, nil
}

// markUsed keeps the program's folders from being removed as unused.
func (p *program) markUsed() {
	now := time.Now()
	for _, path := range []string{p.node, p.bundle} {
		os.Chtimes(filepath.Dir(path), now, now)
	}
}

func removeUnused(cache, but string) {
	entries, _ := os.ReadDir(cache)
	for _, entry := range entries {
		info, err := entry.Info()
		path := filepath.Join(cache, entry.Name())
		if err != nil || !isPartName(entry.Name()) || path == but || time.Since(info.ModTime()) < unusedFor {
			continue
		}
		os.RemoveAll(path)
	}
}
