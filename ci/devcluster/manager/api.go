package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// api is the API server of a cluster, as its manager sees it.
type api struct {
	url    string
	client *http.Client
}

func (c *cluster) api() (*api, error) {
	p, err := c.ports()
	if err != nil {
		return nil, err
	}
	ca, err := load(c.path("pki", "ca"))
	if err != nil {
		return nil, err
	}
	manager, err := load(c.path("pki", "manager"))
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(manager.certPEM, manager.keyPEM)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	return &api{
		url: p.url(),
		client: &http.Client{
			Timeout: 10 * time.Second,
			Transport: &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}},
			},
		},
	}, nil
}

func (a *api) do(method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequest(method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "devcluster")
	if body != nil {
		request.Header.Set("Content-Type", "application/yaml")
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(text))
	}
	return text, nil
}

func (a *api) create(path string, object []byte) error {
	_, err := a.do(http.MethodPost, path, object)
	return err
}

func (a *api) ready() error {
	_, err := a.do(http.MethodGet, "/readyz", nil)
	return err
}

func (a *api) serviceAccount() error {
	_, err := a.do(http.MethodGet, "/api/v1/namespaces/default/serviceaccounts/default", nil)
	return err
}

// nodesReady wants that a pod could be scheduled on each.
func (a *api) nodesReady() error {
	text, err := a.do(http.MethodGet, "/api/v1/nodes", nil)
	if err != nil {
		return err
	}
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Spec     struct{ Taints []struct{ Key string } }
			Status   struct {
				Conditions []struct{ Type, Status string }
			}
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	if len(list.Items) == 0 {
		return fmt.Errorf("no nodes")
	}
	for _, node := range list.Items {
		ready := false
		for _, condition := range node.Status.Conditions {
			ready = ready || condition.Type == "Ready" && condition.Status == "True"
		}
		if !ready {
			return fmt.Errorf("node %s is not ready", node.Metadata.Name)
		}
		for _, taint := range node.Spec.Taints {
			if taint.Key == "node.kubernetes.io/not-ready" {
				return fmt.Errorf("node %s is not ready yet for pods", node.Metadata.Name)
			}
		}
	}
	return nil
}
