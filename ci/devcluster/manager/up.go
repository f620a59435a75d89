package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	nodes        = 3
	leaseSeconds = 40
	startLimit   = 90 * time.Second
	stopLimit    = 30 * time.Second
)

// up ends with a cluster that works: one that runs is left alone, one of which
// parts have died gets them back, and what can't be revived is made anew.
func (c *cluster) up() error {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	begin := time.Now()
	if done, err := c.revive(); err != nil {
		say("%s can't be revived, making it anew: %v", c.name, err)
	} else if done {
		c.printKubeconfig()
		return nil
	}
	// Between the choice of a port and its use, another may take it.
	for attempt := 1; ; attempt++ {
		if err := c.remove(); err != nil {
			return err
		}
		err := c.create()
		if err == nil {
			break
		}
		if attempt == 3 || !strings.Contains(err.Error(), "address already in use") {
			return errors.Join(err, c.kill())
		}
	}
	say("%s is ready after %.1f s", c.name, time.Since(begin).Seconds())
	c.printKubeconfig()
	return nil
}

func (c *cluster) printKubeconfig() {
	fmt.Printf("export KUBECONFIG=%s\n", quote(c.path("kubeconfig")))
}

// revive says whether the cluster runs now.
func (c *cluster) revive() (bool, error) {
	if _, err := os.Stat(c.path("kubeconfig")); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	var dead []string
	for _, p := range c.parts() {
		if p.pid() == 0 {
			dead = append(dead, p.name)
		}
	}
	if len(dead) > 0 {
		say("%s: starting %s again", c.name, strings.Join(dead, ", "))
	}
	if err := c.startParts(30 * time.Second); err != nil {
		return false, err
	}
	if len(dead) > 0 {
		// Whoever uses the cluster may have deleted nodes: no reason to lose it.
		if err := c.waitUsable(30 * time.Second); err != nil {
			say("%s: %v", c.name, err)
		}
	}
	return true, nil
}

func (c *cluster) create() error {
	say("starting %s", c.name)
	if err := c.lay(); err != nil {
		return err
	}
	if err := c.startParts(startLimit); err != nil {
		return err
	}
	if err := c.fill(); err != nil {
		return err
	}
	if err := c.waitUsable(startLimit); err != nil {
		return err
	}
	ca, err := load(c.path("pki", "ca"))
	if err != nil {
		return err
	}
	admin, err := newClient(ca, "admin", "system:masters")
	if err != nil {
		return err
	}
	p, err := c.ports()
	if err != nil {
		return err
	}
	partial := c.path(".kubeconfig")
	if err := os.WriteFile(partial, kubeconfig(c.name, p.url(), ca, admin), 0o600); err != nil {
		return err
	}
	return os.Rename(partial, c.path("kubeconfig"))
}

// startParts starts what does not run. The others start when the API server
// is ready: some of them give up at the first request that fails.
func (c *cluster) startParts(limit time.Duration) error {
	for _, p := range c.parts() {
		if err := p.start(); err != nil {
			return err
		}
		if p.name == "apiserver" {
			if err := c.wait("the API server", limit, (*api).ready); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill gives a new cluster what an installer would.
func (c *cluster) fill() error {
	if !c.hasControllers() {
		return nil
	}
	api, err := c.api()
	if err != nil {
		return err
	}
	class, err := files.ReadFile("files/storageclass.yaml")
	if err != nil {
		return err
	}
	if err := api.create("/apis/storage.k8s.io/v1/storageclasses", class); err != nil {
		return err
	}
	node, err := files.ReadFile("files/node.yaml")
	if err != nil {
		return err
	}
	for i := range nodes {
		text := strings.ReplaceAll(string(node), "INDEX", fmt.Sprint(i+1))
		if err := api.create("/api/v1/nodes", []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// freeNodes deletes the leases of the nodes. A new kwok has a new identity, and
// would start no pod on a node for as long as the lease of the last one holds.
func (c *cluster) freeNodes() {
	api, err := c.api()
	if err == nil {
		api.client.Timeout = 2 * time.Second
		_, err = api.do(http.MethodDelete, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", nil)
	}
	if err != nil {
		say("%s: kwok may need %d s to take over the nodes: %v", c.name, leaseSeconds, err)
	}
}

func (c *cluster) hasControllers() bool {
	return len(c.parts()) > 2
}

// waitUsable waits until pods can be made and scheduled.
func (c *cluster) waitUsable(limit time.Duration) error {
	if !c.hasControllers() {
		return nil
	}
	return errors.Join(
		c.wait("the nodes", limit, (*api).nodesReady),
		c.wait("the default service account", limit, (*api).serviceAccount))
}

// wait calls the check until it succeeds. The death of a part that this
// program started ends it early.
func (c *cluster) wait(what string, limit time.Duration, check func(*api) error) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		err := check(api)
		if err == nil {
			return nil
		}
		for _, p := range c.parts() {
			if c.started[p.name] && p.hasEnded() {
				return fmt.Errorf("%s has ended; %s says:\n%s", p.name, p.log(), p.tail())
			}
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s not ready within %s: %w", what, limit, err)
		}
	}
}

func (c *cluster) down() error {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	return c.remove()
}

func downAll() error {
	root, err := rootDir()
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	var failures []error
	for _, entry := range entries {
		if !entry.IsDir() || !validName.MatchString(entry.Name()) {
			continue
		}
		c, err := named(entry.Name())
		if err == nil {
			err = c.down()
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// remove kills: nothing of the cluster is kept, and a graceful end of an API
// server waits for its watches.
func (c *cluster) remove() error {
	if err := c.kill(); err != nil {
		return err
	}
	return os.RemoveAll(c.dir)
}

func (c *cluster) kill() error {
	var failures []error
	for _, p := range c.parts() {
		failures = append(failures, p.signal(syscall.SIGKILL, stopLimit))
	}
	return errors.Join(failures...)
}

func (c *cluster) env() error {
	if _, err := os.Stat(c.path("kubeconfig")); err != nil {
		return fmt.Errorf("no cluster %s: start it with `up %s`", c.name, c.name)
	}
	bin, err := os.Readlink(c.path("bin"))
	if err != nil {
		return err
	}
	c.printKubeconfig()
	fmt.Printf("export PATH=%s:\"$PATH\"\n", quote(bin))
	return nil
}

func (c *cluster) user(user string, groups []string) error {
	ca, err := load(c.path("pki", "ca"))
	if err != nil {
		return fmt.Errorf("no cluster %s: %w", c.name, err)
	}
	p, err := c.ports()
	if err != nil {
		return err
	}
	client, err := newClient(ca, user, groups...)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(kubeconfig(c.name, p.url(), ca, client))
	return err
}

func (c *cluster) changePart(name, action string) error {
	if action == "status" {
		p, err := c.part(name)
		if err != nil {
			return err
		}
		if pid := p.pid(); pid != 0 {
			fmt.Printf("running %d\n", pid)
			return nil
		}
		fmt.Println("stopped")
		return errStopped
	}
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	p, err := c.part(name)
	if err != nil {
		return err
	}
	switch action {
	case "stop":
		return p.signal(syscall.SIGTERM, stopLimit)
	case "kill":
		return p.signal(syscall.SIGKILL, stopLimit)
	case "pause":
		return p.signal(syscall.SIGSTOP, stopLimit)
	case "resume":
		return p.signal(syscall.SIGCONT, stopLimit)
	case "start":
		return p.restart()
	default:
		return errors.New(usage)
	}
}

// restart waits for a part whose readiness can be seen from outside.
func (p part) restart() error {
	if err := p.start(); err != nil {
		return err
	}
	etcd, err := p.cluster.part("etcd")
	if err != nil {
		return err
	}
	apiserver, err := p.cluster.part("apiserver")
	if err != nil {
		return err
	}
	if (p.name == "etcd" || p.name == "apiserver") && etcd.pid() != 0 && apiserver.pid() != 0 {
		return p.cluster.wait("the API server", startLimit, (*api).ready)
	}
	return nil
}

// quote is for a shell.
func quote(text string) string {
	for _, r := range text {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-", r) {
			return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
		}
	}
	return text
}
