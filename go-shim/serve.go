//go:build unix

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// How often it is looked whether Terraform still lives. Terraform ends us itself; this is for when it was killed.
const parentInterval = 2 * time.Second

// How long the last log lines are waited for, and whether there was a farewell.
const farewellPatience = 500 * time.Millisecond

// serve gives each connection of Terraform one to the provider's process, and ends when that process closes one, since it was
// told to shut down. It returns an error when the process died.
func serve(listener net.Listener, p *provider) error {
	// Ctrl-C reaches the whole process group. Terraform says by an RPC what it makes of it.
	signal.Ignore(os.Interrupt)
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	ended := make(chan error, 1)
	end := func(err error) {
		select {
		case ended <- err:
		default:
		}
	}
	go func() {
		for {
			downstream, err := listener.Accept()
			if err != nil {
				end(err)
				return
			}
			go func() {
				if err := relay(downstream, p); err != errDownstreamClosed {
					end(err)
				}
			}()
		}
	}()
	process := p.watch()
	parent := os.Getppid()
	ticker := time.NewTicker(parentInterval)
	defer ticker.Stop()
	for {
		select {
		case err := <-process:
			if err != nil {
				return err
			}
			// It has said farewell; what it has answered is still on its way.
			process = nil
		case err := <-ended:
			if process == nil {
				return err
			}
			select {
			case died := <-process:
				if died != nil {
					return died
				}
			case <-time.After(farewellPatience):
			}
			return err
		case <-terminated:
			return nil
		case <-ticker.C:
			if os.Getppid() != parent {
				return nil
			}
		}
	}
}

var errDownstreamClosed = fmt.Errorf("terraform closed the connection")

// relay passes bytes in both directions until either side closes. It returns nil when the process closed its side; Terraform's side
// is open then until this program ends, so that what is said of that is heard before the call is given up.
func relay(downstream net.Conn, p *provider) error {
	upstream, err := p.dial()
	if err != nil {
		downstream.Close()
		return err
	}
	defer upstream.Close()
	first := make(chan error, 2)
	go func() {
		io.Copy(upstream, downstream)
		first <- errDownstreamClosed
	}()
	go func() {
		io.Copy(downstream, upstream)
		first <- nil
	}()
	err = <-first
	if err != nil {
		downstream.Close()
	}
	return err
}
