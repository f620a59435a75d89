package main

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed files
var files embed.FS

// programs are the directory with the binaries and, next to it, kwok's stages.
// Envtest's binaries, if KUBEBUILDER_ASSETS names them, have no controllers.
func programs() (dir string, controllers bool, err error) {
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		if has(assets, "etcd", "kube-apiserver", "kubectl") {
			assets, err = filepath.Abs(assets)
			return assets, false, err
		}
		say("KUBEBUILDER_ASSETS=%s has not etcd, kube-apiserver and kubectl: not used", assets)
	}
	own, err := os.Executable()
	if err != nil {
		return "", false, err
	}
	return filepath.Dir(own), true, nil
}

func has(dir string, names ...string) bool {
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// lay writes everything that the parts need, and their command lines.
func (c *cluster) lay() error {
	bin, controllers, err := programs()
	if err != nil {
		return err
	}
	for _, dir := range []string{"commands", "pids", "logs", "pki", "config", "etcd"} {
		if err := os.MkdirAll(c.path(dir), 0o700); err != nil {
			return err
		}
	}
	if err := os.Symlink(bin, c.path("bin")); err != nil {
		return err
	}
	p, err := c.choosePorts()
	if err != nil {
		return err
	}
	if err := c.layKeys(p, controllers); err != nil {
		return err
	}
	policy, err := files.ReadFile("files/audit-policy.yaml")
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.path("config", "audit-policy.yaml"), policy, 0o600); err != nil {
		return err
	}
	commands := map[string][]string{
		"etcd":      c.etcd(p),
		"apiserver": c.apiserver(p),
	}
	if controllers {
		if err := c.layStages(filepath.Join(filepath.Dir(bin), "kwok-stages.yaml")); err != nil {
			return err
		}
		commands["controller-manager"] = c.controllerManager()
		commands["scheduler"] = c.scheduler()
		commands["kwok"] = c.kwok()
	} else {
		say("envtest's binaries: no controllers, so nothing is scheduled, started or collected")
	}
	for name, command := range commands {
		command[0] = filepath.Join(bin, command[0])
		text := strings.Join(command, "\n") + "\n"
		if err := os.WriteFile(c.path("commands", name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) layKeys(p ports, controllers bool) error {
	ca, err := newCA("devcluster-" + c.name)
	if err != nil {
		return err
	}
	front, err := newCA("devcluster-front-proxy-" + c.name)
	if err != nil {
		return err
	}
	server, err := newServer(ca)
	if err != nil {
		return err
	}
	proxy, err := newClient(front, "front-proxy")
	if err != nil {
		return err
	}
	accounts, err := newCA("service-accounts")
	if err != nil {
		return err
	}
	public, err := accounts.publicPEM()
	if err != nil {
		return err
	}
	manager, err := newClient(ca, "devcluster:manager", "system:masters")
	if err != nil {
		return err
	}
	if err := errors.Join(
		ca.save(c.path("pki", "ca")),
		front.save(c.path("pki", "front-proxy-ca")),
		server.save(c.path("pki", "apiserver")),
		proxy.save(c.path("pki", "front-proxy")),
		accounts.save(c.path("pki", "service-accounts")),
		manager.save(c.path("pki", "manager")),
		os.WriteFile(c.path("pki", "service-accounts.pub"), public, 0o600),
	); err != nil {
		return err
	}
	if !controllers {
		return nil
	}
	for name, user := range map[string]string{
		"controller-manager": "system:kube-controller-manager",
		"scheduler":          "system:kube-scheduler",
		"kwok":               "devcluster:kwok",
	} {
		client, err := newClient(ca, user, "system:masters")
		if err != nil {
			return err
		}
		text := kubeconfig(c.name, p.url(), ca, client)
		if err := os.WriteFile(c.path("config", name+".kubeconfig"), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) layStages(kwoks string) error {
	stages, err := os.ReadFile(kwoks)
	if err != nil {
		return err
	}
	volumes, err := files.ReadFile("files/volume-stages.yaml")
	if err != nil {
		return err
	}
	stages = append(append(stages, "---\n"...), volumes...)
	return os.WriteFile(c.path("config", "stages.yaml"), stages, 0o600)
}

func (p ports) url() string {
	return fmt.Sprintf("https://127.0.0.1:%d", p.APIServer)
}

func (c *cluster) etcd(p ports) []string {
	client := fmt.Sprintf("http://127.0.0.1:%d", p.Etcd)
	peer := fmt.Sprintf("http://127.0.0.1:%d", p.EtcdPeer)
	return []string{
		"etcd",
		"--name=" + c.name,
		"--data-dir=" + c.path("etcd"),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=" + c.name + "=" + peer,
		"--unsafe-no-fsync",
		"--quota-backend-bytes=268435456",
		"--snapshot-count=5000",
		"--max-wals=2",
		"--max-snapshots=2",
		"--heartbeat-interval=50",
		"--election-timeout=250",
		"--log-level=warn",
	}
}

func (c *cluster) apiserver(p ports) []string {
	return []string{
		"kube-apiserver",
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", p.Etcd),
		fmt.Sprintf("--secure-port=%d", p.APIServer),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--cert-dir=" + c.path("pki"),
		"--tls-cert-file=" + c.path("pki", "apiserver.crt"),
		"--tls-private-key-file=" + c.path("pki", "apiserver.key"),
		"--client-ca-file=" + c.path("pki", "ca.crt"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.path("pki", "service-accounts.pub"),
		"--service-account-signing-key-file=" + c.path("pki", "service-accounts.key"),
		"--requestheader-client-ca-file=" + c.path("pki", "front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + c.path("pki", "front-proxy.crt"),
		"--proxy-client-key-file=" + c.path("pki", "front-proxy.key"),
		"--authorization-mode=Node,RBAC",
		"--allow-privileged=true",
		"--audit-policy-file=" + c.path("config", "audit-policy.yaml"),
		"--audit-log-path=" + c.path("logs", "audit.log"),
		"--profiling=false",
		// Ends open watches at SIGTERM; without it they hold up the end for a minute.
		"--shutdown-watch-termination-grace-period=1s",
	}
}

func (c *cluster) controllerManager() []string {
	return []string{
		"kube-controller-manager",
		"--kubeconfig=" + c.path("config", "controller-manager.kubeconfig"),
		"--secure-port=0",
		"--leader-elect=false",
		"--root-ca-file=" + c.path("pki", "ca.crt"),
		"--service-account-private-key-file=" + c.path("pki", "service-accounts.key"),
		"--cluster-signing-cert-file=" + c.path("pki", "ca.crt"),
		"--cluster-signing-key-file=" + c.path("pki", "ca.key"),
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--profiling=false",
	}
}

func (c *cluster) scheduler() []string {
	return []string{
		"kube-scheduler",
		"--kubeconfig=" + c.path("config", "scheduler.kubeconfig"),
		"--secure-port=0",
		"--leader-elect=false",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--profiling=false",
	}
}

func (c *cluster) kwok() []string {
	return []string{
		"kwok",
		"--kubeconfig=" + c.path("config", "kwok.kubeconfig"),
		"--config=" + c.path("config", "stages.yaml"),
		"--manage-all-nodes=true",
		fmt.Sprintf("--node-lease-duration-seconds=%d", leaseSeconds),
	}
}
