package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// How long a new process may take until it listens.
	startPatience = 30 * time.Second
	// How long a process may take to answer a greeting.
	greetPatience = 10 * time.Second
)

// greeting is the first line of every connection to the process.
type greeting struct {
	Env    map[string]string `json:"env,omitempty"`
	Cwd    string            `json:"cwd,omitempty"`
	ID     string            `json:"id,omitempty"`
	LogsOf string            `json:"logsOf,omitempty"`
}

// warmUp makes sure that a process listens.
func (p *provider) warmUp() error {
	connection, err := p.connect(greeting{})
	if err != nil {
		return err
	}
	return connection.Close()
}

// dial opens a connection for Terraform's bytes. The process may be older than this run of Terraform, and was started by
// another one, so it is told what it would otherwise have from its own environment: for this connection alone.
func (p *provider) dial() (net.Conn, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return p.connect(greeting{Env: environmentOfRun(os.Environ()), Cwd: cwd, ID: p.id})
}

// relayLogs copies the log lines of our connections to stderr, where Terraform takes them, if it was asked for logs. The
// result is closed when nothing more will come.
func (p *provider) relayLogs() (<-chan struct{}, error) {
	done := make(chan struct{})
	level := os.Getenv("TF_LOG_PROVIDER")
	if level == "" {
		level = os.Getenv("TF_LOG")
	}
	if level == "" || strings.EqualFold(level, "off") {
		close(done)
		return done, nil
	}
	connection, err := p.connect(greeting{LogsOf: p.id})
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(done)
		io.Copy(os.Stderr, connection)
	}()
	return done, nil
}

// connect opens a connection to the process, and starts one when none answers.
func (p *provider) connect(hello greeting) (net.Conn, error) {
	if connection, err := p.greet(hello); err == nil {
		return connection, nil
	}
	lock, err := p.lock()
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	// Another shim may have started it while we waited for the lock.
	if connection, err := p.greet(hello); err == nil {
		return connection, nil
	}
	pid, err := p.start()
	if err != nil {
		return nil, err
	}
	// For people and tests that want to end it before it ends itself.
	if err := os.WriteFile(p.socket+".pid", []byte(strconv.Itoa(pid)+"\n"), 0o600); err != nil {
		return nil, err
	}
	return p.greet(hello)
}

func (p *provider) greet(hello greeting) (net.Conn, error) {
	connection, err := net.Dial("unix", p.socket)
	if err != nil {
		return nil, err
	}
	connection.SetDeadline(time.Now().Add(greetPatience))
	line, err := json.Marshal(hello)
	if err == nil {
		_, err = connection.Write(append(line, '\n'))
	}
	answer := make([]byte, len("ok\n"))
	if err == nil {
		_, err = io.ReadFull(connection, answer)
	}
	if err == nil && string(answer) != "ok\n" {
		err = errors.New("the provider's process gave an answer that is not its own")
	}
	if err != nil {
		connection.Close()
		return nil, err
	}
	connection.SetDeadline(time.Time{})
	return connection, nil
}

// lock keeps other shims from starting a process at the same time, until the file is closed.
func (p *provider) lock() (*os.File, error) {
	file, err := os.OpenFile(p.socket+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// start runs the process and returns its number when it listens. The process lives on after us.
func (p *provider) start() (int, error) {
	// What is left of a process that was killed.
	os.Remove(p.socket)
	logPath := p.socket + ".log"
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	ready, child, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer ready.Close()
	arguments := []string{p.bundle, "--warm", p.socket}
	if p.temporary {
		arguments = append(arguments, "--remove-folder")
	}
	command := exec.Command(p.node, arguments...)
	command.Dir = p.folder
	command.Env = append(environmentOfProcess(os.Environ()), "NODE_COMPILE_CACHE="+p.folder)
	command.Stdout, command.Stderr = log, log
	command.ExtraFiles = []*os.File{child}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		child.Close()
		return 0, fmt.Errorf("%s cannot be started: %w", p.node, err)
	}
	child.Close()
	ready.SetReadDeadline(time.Now().Add(startPatience))
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		command.Process.Kill()
		said, _ := os.ReadFile(logPath)
		return 0, fmt.Errorf("the provider's process did not begin to listen; it said: %s", strings.TrimSpace(string(said)))
	}
	pid := command.Process.Pid
	return pid, command.Process.Release()
}
