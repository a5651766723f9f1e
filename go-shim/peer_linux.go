package main

import "syscall"

func peerOfSocket(fd int) (peer, error) {
	of, err := syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return peer{}, err
	}
	return peer{uid: int(of.Uid), pid: int(of.Pid)}, nil
}
