//go:build unix

package main

import (
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// Linux shows this owner for users that a user namespace does not map, root of the machine among them.
const overflow = 65534

func ownedByUs(info os.FileInfo) bool {
	uid, _, ok := ownerOf(info)
	return ok && uid == os.Getuid()
}

// trustedOwner says whether a folder or link on the way to ours belongs to us or to root.
func trustedOwner(info os.FileInfo) bool {
	uid, _, ok := ownerOf(info)
	return ok && (uid == 0 || uid == os.Getuid() || uid == overflow && inUserNamespace())
}

// writableBy returns the permissions by which somebody else could write: its group is left out where that is its owner alone,
// as most systems make one for each user.
func writableBy(info os.FileInfo) os.FileMode {
	uid, gid, ok := ownerOf(info)
	if !ok {
		return 0o022
	}
	owner, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return 0o022
	}
	group, err := user.LookupGroupId(strconv.Itoa(gid))
	if err != nil || group.Name != owner.Username {
		return 0o022
	}
	return 0o002
}

func ownerOf(info os.FileInfo) (uid, gid int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(stat.Uid), int(stat.Gid), true
}

func inUserNamespace() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(text)), " ") != "0 0 4294967295"
}
