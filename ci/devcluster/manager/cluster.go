package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// A cluster is a directory:
//
//	kubeconfig       of the administrator; written last, when everything works
//	bin              link to the programs
//	ports            JSON
//	commands/PART    the command line, one argument in a line
//	pids/PART        the process
//	logs/PART.log    what it printed; audit.log: requests, one JSON object in a line
//	pki/             certificates and keys
//	config/          files that the parts read
//	etcd/            data
type cluster struct {
	name    string
	dir     string
	started map[string]bool // parts, by this program
}

type ports struct {
	Etcd      int `json:"etcd"`
	EtcdPeer  int `json:"etcdPeer"`
	APIServer int `json:"apiserver"`
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`)

func named(name string) (*cluster, error) {
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("%q is no name for a cluster: lower-case letters, digits and dashes", name)
	}
	root, err := rootDir()
	if err != nil {
		return nil, err
	}
	return &cluster{name: name, dir: filepath.Join(root, name), started: map[string]bool{}}, nil
}

// rootDir holds the clusters. It may be in /tmp, where another user could have
// made it: then it is not used.
func rootDir() (string, error) {
	root := os.Getenv("LANDSKAP_DEVCLUSTER_DIR")
	if root == "" {
		root = fmt.Sprintf("/tmp/landskap-devcluster-%d", os.Getuid())
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	if strings.ContainsRune(root, '\n') {
		return "", fmt.Errorf("%q: a line break", root)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", err
	}
	info, err := os.Lstat(root)
	if err != nil {
		return "", err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() {
		return "", fmt.Errorf("%s is not a directory of this user", root)
	}
	return root, nil
}

func (c *cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.dir}, elements...)...)
}

// lock keeps others from changing the cluster until this program ends or calls
// the function that it returns.
func (c *cluster) lock() (func(), error) {
	return lockFile(filepath.Join(filepath.Dir(c.dir), "."+c.name+".lock"))
}

func lockFile(path string) (func(), error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return func() { file.Close() }, nil
}

// parts in the order in which they start. Without controllers (envtest's
// binaries) there are two.
func (c *cluster) parts() []part {
	var parts []part
	for _, name := range []string{"etcd", "apiserver", "controller-manager", "scheduler", "kwok"} {
		if _, err := os.Stat(c.path("commands", name)); err == nil {
			parts = append(parts, part{c, name})
		}
	}
	return parts
}

func (c *cluster) part(name string) (part, error) {
	for _, p := range c.parts() {
		if p.name == strings.TrimPrefix(name, "kube-") {
			return p, nil
		}
	}
	return part{}, fmt.Errorf("cluster %s has no part %q", c.name, name)
}

func (c *cluster) ports() (ports, error) {
	var p ports
	text, err := os.ReadFile(c.path("ports"))
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(text, &p)
}

// choosePorts takes free ports that no other cluster of this user has, and
// writes them down. They are below the range from which the kernel takes the
// ports of outgoing connections, so that a stopped part finds its port again.
func (c *cluster) choosePorts() (ports, error) {
	root := filepath.Dir(c.dir)
	unlock, err := lockFile(filepath.Join(root, ".ports.lock"))
	if err != nil {
		return ports{}, err
	}
	defer unlock()
	taken := map[int]bool{}
	files, err := filepath.Glob(filepath.Join(root, "*", "ports"))
	if err != nil {
		return ports{}, err
	}
	for _, file := range files {
		other := &cluster{dir: filepath.Dir(file)}
		// A cluster that is being removed has none any more.
		if p, err := other.ports(); err == nil {
			taken[p.Etcd], taken[p.EtcdPeer], taken[p.APIServer] = true, true, true
		}
	}
	next := func() int {
		for range 1000 {
			port := 20000 + rand.IntN(10000)
			if taken[port] {
				continue
			}
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				continue
			}
			listener.Close()
			taken[port] = true
			return port
		}
		return 0
	}
	p := ports{Etcd: next(), EtcdPeer: next(), APIServer: next()}
	if p.Etcd == 0 || p.EtcdPeer == 0 || p.APIServer == 0 {
		return ports{}, errors.New("no free port between 20000 and 30000")
	}
	text, err := json.Marshal(p)
	if err != nil {
		return ports{}, err
	}
	return p, os.WriteFile(c.path("ports"), text, 0o600)
}
