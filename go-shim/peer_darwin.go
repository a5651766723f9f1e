package main

import "golang.org/x/sys/unix"

// peerUID returns the user of the process at the other end.
func peerUID(fd int) (int, error) {
	of, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(of.Uid), nil
}
