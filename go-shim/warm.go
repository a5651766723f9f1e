//go:build unix

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
	// Control names the shim that the connection belongs to, and nothing else is said: log lines come back.
	Control string `json:"control,omitempty"`
	// The others go with a connection of Terraform.
	ID        string            `json:"id,omitempty"`
	Cwd       string            `json:"cwd,omitempty"`
	Workspace string            `json:"workspace,omitempty"`
	Env       map[string]string `json:"env,omitempty"`
	LogLevel  string            `json:"logLevel,omitempty"`
}

// warmUp makes sure that a process listens, and stays as long as we do.
func (p *provider) warmUp() error {
	control, err := p.connect(greeting{Control: p.id})
	if err != nil {
		return err
	}
	p.control = control
	return nil
}

// dial opens a connection for Terraform's bytes. The process may be older than this run of Terraform, and was started by
// another one, so it is told what it would otherwise have from its own environment: for this connection alone.
func (p *provider) dial() (net.Conn, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	// None is started here: it would know nothing of what Terraform has said to the one of before.
	return p.greet(greeting{ID: p.id, Cwd: cwd, Workspace: workspace(), Env: environmentOfRun(os.Environ()), LogLevel: logLevel()})
}

// Said on the control connection when Terraform has told the process that it needs it no more.
const farewell = "bye"

// watch copies the log lines of our connections to stderr, where Terraform takes them. The result gets nil when the process has
// said farewell, and the reason when it ended without.
func (p *provider) watch() <-chan error {
	ended := make(chan error, 1)
	go func() {
		lines := bufio.NewReader(p.control)
		finished := false
		for {
			line, err := lines.ReadBytes('\n')
			switch {
			case string(line) == farewell+"\n":
				finished = true
				ended <- nil
			default:
				os.Stderr.Write(line)
			}
			if err != nil {
				if !finished {
					ended <- p.death()
				}
				return
			}
		}
	}()
	return ended
}

// death says that the process ended in the middle of its work.
func (p *provider) death() error {
	said, _ := os.ReadFile(p.logPath())
	why := errorIn(said)
	if why == "" {
		why = "it said nothing; was it killed, or did the machine run out of memory?"
	}
	return fmt.Errorf("the provider's process ended in the middle of its work: %s Run the command again, which starts a new one; terraform plan shows what is still to be done", endSentence(why))
}

func endSentence(text string) string {
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

// connect opens a connection to the process, and starts one when none answers.
func (p *provider) connect(hello greeting) (net.Conn, error) {
	if connection, err := p.greet(hello); err == nil {
		return connection, nil
	}
	lock, err := lockFile(p.socket + ".lock")
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
	err = checkPeer(connection.(*net.UnixConn))
	var line []byte
	if err == nil {
		line, err = json.Marshal(hello)
	}
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

// peer is the process at the other end of a socket, as the kernel knows it.
type peer struct {
	uid int
	pid int
}

func peerOf(connection *net.UnixConn) (peer, error) {
	raw, err := connection.SyscallConn()
	if err != nil {
		return peer{}, err
	}
	var found peer
	var asked error
	if err := raw.Control(func(fd uintptr) { found, asked = peerOfSocket(int(fd)) }); err != nil {
		return peer{}, err
	}
	return found, asked
}

// checkPeer sees to it that we speak to a process of our own user, before anything is said to it.
func checkPeer(connection *net.UnixConn) error {
	found, err := peerOf(connection)
	if err != nil {
		return err
	}
	if found.uid != os.Getuid() {
		return fmt.Errorf("the process that listens belongs to the user with the number %d", found.uid)
	}
	return nil
}

// lockFile keeps other shims from doing the same at the same time, until the file is closed.
func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
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

func (p *provider) logPath() string { return p.socket + ".log" }

// start runs the process and returns its number when it listens. The process lives on after us, unless it is for us alone.
func (p *provider) start() (int, error) {
	// What is left of a process that was killed.
	if err := os.Remove(p.socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("%s is in the way of the provider's socket: remove it (%w)", p.socket, err)
	}
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	ready, child, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer ready.Close()
	defer child.Close()
	arguments := []string{p.bundle, "--warm", p.socket}
	if p.temporary {
		arguments = append(arguments, "--remove-folder")
	}
	p.markUsed()
	command := exec.Command(p.node, arguments...)
	if p.single {
		// Its input ends with us, however we end.
		command.Args = append(command.Args, "--while-stdin")
		input, ours, err := os.Pipe()
		if err != nil {
			return 0, err
		}
		defer input.Close()
		keepOpen = append(keepOpen, ours)
		command.Stdin = input
	}
	command.Dir = p.folder
	command.Env = append(environmentOfProcess(os.Environ()), "NODE_COMPILE_CACHE="+p.compiled())
	command.Stdout, command.Stderr = log, log
	command.ExtraFiles = []*os.File{child}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return 0, cannotStart(p.node, err)
	}
	child.Close()
	ready.SetReadDeadline(time.Now().Add(startPatience))
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		command.Process.Kill()
		said, _ := os.ReadFile(p.logPath())
		return 0, didNotListen(said)
	}
	pid := command.Process.Pid
	return pid, command.Process.Release()
}

// Descriptors that must not be closed as long as we live; a file that nothing refers to is closed by Go.
var keepOpen []*os.File

// compiled returns the folder for what Node has compiled. It is worth keeping beyond this process only where others find it.
func (p *provider) compiled() string {
	if !p.single {
		return p.folder
	}
	if folder, temporary, err := runtimeFolder(); err == nil && !temporary {
		return folder
	}
	return p.folder
}

func cannotStart(node string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		if _, missing := os.Stat(node); missing == nil {
			return fmt.Errorf("%s cannot be started: it needs a machine with glibc, and this one has another C library (as Alpine has)", node)
		}
	}
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%s may not be executed: is it on a file system that is mounted noexec? Name another folder in %s", node, cacheVariable)
	}
	return fmt.Errorf("%s cannot be started: %w", node, err)
}

func didNotListen(said []byte) error {
	if _, library, found := strings.Cut(string(said), "error while loading shared libraries: "); found {
		name, _, _ := strings.Cut(library, ":")
		return fmt.Errorf("the provider's runtime needs %s, which this machine has not: install it (Debian and Ubuntu: apt install libatomic1 libstdc++6; Fedora: dnf install libatomic libstdc++)", name)
	}
	if why := errorIn(said); why != "" {
		return fmt.Errorf("the provider's process did not begin to listen; it said: %s", why)
	}
	return fmt.Errorf("the provider's process did not begin to listen within %s, and said nothing", startPatience)
}
