// Command devcluster starts, changes and ends Kubernetes control planes for
// tests on this machine. The scripts beside this directory call it.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

const usage = `usage: devcluster up [NAME]
       devcluster down [NAME|--all]
       devcluster env [NAME]
       devcluster user NAME USER [GROUP...]
       devcluster part NAME PART stop|kill|start|pause|resume|status

NAME is "default" if not given. PART is etcd, apiserver, controller-manager,
scheduler or kwok.`

// errStopped makes `part status` exit with 1 and without a message.
var errStopped = errors.New("stopped")

func main() {
	closeInherited()
	switch err := run(os.Args[1:]); {
	case err == nil:
	case errors.Is(err, errStopped):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "devcluster:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	command, args := args[0], args[1:]
	switch command {
	case "up", "down", "env":
		if len(args) > 1 {
			return errors.New(usage)
		}
		if command == "down" && len(args) == 1 && args[0] == "--all" {
			return downAll()
		}
		name := "default"
		if len(args) == 1 {
			name = args[0]
		}
		c, err := named(name)
		if err != nil {
			return err
		}
		switch command {
		case "up":
			return c.up()
		case "down":
			return c.down()
		default:
			return c.env()
		}
	case "user":
		if len(args) < 2 {
			return errors.New(usage)
		}
		c, err := named(args[0])
		if err != nil {
			return err
		}
		return c.user(args[1], args[2:])
	case "part":
		if len(args) != 3 {
			return errors.New(usage)
		}
		c, err := named(args[0])
		if err != nil {
			return err
		}
		return c.changePart(args[1], args[2])
	default:
		return errors.New(usage)
	}
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "devcluster: "+format+"\n", args...)
}

// closeInherited keeps the parts, which live on, from holding a pipe or a
// lock of whoever called: a caller that waits for the end of a pipe would wait
// for ever.
func closeInherited() {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}
