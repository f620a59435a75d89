package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A part is one process of a cluster. Its command line is a file with one
// argument in a line; it names the cluster's directory, so that a process with
// this command line is this part and no other, however pids are reused.
type part struct {
	cluster *cluster
	name    string
}

func (p part) command() ([]string, error) {
	text, err := os.ReadFile(p.cluster.path("commands", p.name))
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), nil
}

// pid is of the running process, or 0.
func (p part) pid() int {
	text, err := os.ReadFile(p.cluster.path("pids", p.name))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return 0
	}
	command, err := p.command()
	if err != nil {
		return 0
	}
	// Empty for a process that ended and has not been waited for.
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !slices.Equal(command, strings.Split(string(bytes.TrimSuffix(line, []byte{0})), "\x00")) {
		return 0
	}
	return pid
}

// hasEnded looks twice: a program that is just being executed has an empty
// command line for a moment, on a busy machine a long one.
func (p part) hasEnded() bool {
	if p.pid() != 0 {
		return false
	}
	time.Sleep(500 * time.Millisecond)
	return p.pid() == 0
}

// start detaches the part (setsid), so that it outlives the caller
// and its terminal. A part that runs already is left alone.
func (p part) start() error {
	if p.pid() != 0 {
		return nil
	}
	args, err := p.command()
	if err != nil {
		return err
	}
	if p.name == "kwok" {
		p.cluster.freeNodes()
	}
	log, err := os.OpenFile(p.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = p.cluster.dir
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + p.cluster.dir, "GOGC=50"}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	if err := os.WriteFile(p.cluster.path("pids", p.name), []byte(pid+"\n"), 0o600); err != nil {
		return errors.Join(err, cmd.Process.Kill())
	}
	p.cluster.started[p.name] = true
	// Reaps it if it ends while this program runs.
	go cmd.Wait() //nolint:errcheck // its end is seen in /proc
	return nil
}

// signal waits until the process has ended, if the signal ends it.
func (p part) signal(signal syscall.Signal, limit time.Duration) error {
	pid := p.pid()
	if pid == 0 {
		return nil
	}
	if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("%s (pid %d): %w", p.name, pid, err)
	}
	if signal != syscall.SIGTERM && signal != syscall.SIGKILL {
		return nil
	}
	for end := time.Now().Add(limit); p.pid() != 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("%s (pid %d) has not ended within %s", p.name, pid, limit)
		}
	}
	return nil
}

func (p part) log() string {
	return p.cluster.path("logs", p.name+".log")
}

// tail is the end of the log, for messages.
func (p part) tail() string {
	text, err := os.ReadFile(p.log())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}
