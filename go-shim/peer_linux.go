package main

import "syscall"

// peerUID returns the user of the process at the other end.
func peerUID(fd int) (int, error) {
	of, err := syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(of.Uid), nil
}
