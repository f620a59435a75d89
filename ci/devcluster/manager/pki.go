package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// keyPair is a certificate (X.509 v3: rustls takes no other) and its key.
type keyPair struct {
	cert    *x509.Certificate
	key     *ecdsa.PrivateKey
	certPEM []byte
	keyPEM  []byte
}

// newCA makes a certificate that signs others.
func newCA(name string) (*keyPair, error) {
	return sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, nil)
}

// newClient makes a certificate of a user: Kubernetes takes the common name
// for the user and the organizations for the groups.
func newClient(ca *keyPair, user string, groups ...string) (*keyPair, error) {
	return sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca)
}

func newServer(ca *keyPair) (*keyPair, error) {
	return sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{
			"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
			"kubernetes.default.svc.cluster.local",
		},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, net.IPv4(10, 96, 0, 1)},
	}, ca)
}

// sign completes the template; without a CA the certificate signs itself.
func sign(template *x509.Certificate, ca *keyPair) (*keyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().AddDate(10, 0, 0)
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &keyPair{
		cert:    cert,
		key:     key,
		certPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		keyPEM:  pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}),
	}, nil
}

// publicPEM is the key that checks what the private one signed.
func (p *keyPair) publicPEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(&p.key.PublicKey)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// save writes BASE.crt and BASE.key.
func (p *keyPair) save(base string) error {
	return errors.Join(
		os.WriteFile(base+".crt", p.certPEM, 0o600),
		os.WriteFile(base+".key", p.keyPEM, 0o600))
}

// load reads what save wrote.
func load(base string) (*keyPair, error) {
	p := &keyPair{}
	var err error
	if p.certPEM, err = os.ReadFile(base + ".crt"); err != nil {
		return nil, err
	}
	if p.keyPEM, err = os.ReadFile(base + ".key"); err != nil {
		return nil, err
	}
	cert, _ := pem.Decode(p.certPEM)
	key, _ := pem.Decode(p.keyPEM)
	if cert == nil || key == nil {
		return nil, fmt.Errorf("%s: no PEM block", base)
	}
	if p.cert, err = x509.ParseCertificate(cert.Bytes); err != nil {
		return nil, err
	}
	p.key, err = x509.ParseECPrivateKey(key.Bytes)
	return p, err
}

// kubeconfig has everything embedded, so that it can be copied anywhere.
func kubeconfig(context, server string, ca, client *keyPair) []byte {
	data := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: %[1]s
contexts:
  - name: %[1]s
    context: {cluster: %[1]s, user: %[2]q}
clusters:
  - name: %[1]s
    cluster:
      server: %[3]s
      certificate-authority-data: %[4]s
users:
  - name: %[2]q
    user:
      client-certificate-data: %[5]s
      client-key-data: %[6]s
`, context, client.cert.Subject.CommonName, server, data(ca.certPEM), data(client.certPEM), data(client.keyPEM))
}
