package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// selfSigned writes a certificate of 127.0.0.1, which is its own authority, as that of a device.
func selfSigned(t *testing.T, dir, id string) (cert string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := &x509.Certificate{
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	check(err)
	cert, keyFile := certificate(dir, id)
	check(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	check(os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	pair, err = tls.LoadX509KeyPair(cert, keyFile)
	check(err)
	return cert, pair
}

// Over TLS a fleet does what it does over TCP, and shows the certificates it has: a cut link resumes with its own.
func TestFleetOverTLS(t *testing.T) {
	dir := t.TempDir()
	ca, pair := selfSigned(t, dir, "btn-1")
	b := newTestBrokerOver(t, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert})
	f, l, stop := start(t, b, func(c *Config) { c.CAFile, c.Certificates = ca, dir })
	check(f.Cut("btn-1", 0))
	eventually(t, "the cut link is back", func() bool { return f.Stats().Reconnects == 1 && f.Stats().Online == f.Stats().Links })
	check(f.Event("btn-1", "sos"))
	drain(t, f)
	b.mu.Lock()
	for id, shown := range b.shown {
		if shown != (id == "btn-1") {
			t.Errorf("%s has shown a certificate: %v", id, shown)
		}
	}
	b.mu.Unlock()
	verified(t, f, b, l, stop)
}

func TestFleetTrustsNobodyElse(t *testing.T) {
	dir := t.TempDir()
	_, pair := selfSigned(t, dir, "broker")
	b := newTestBrokerOver(t, &tls.Config{Certificates: []tls.Certificate{pair}})
	cfg := DefaultConfig()
	cfg.Broker = b.addr
	cfg.CAFile, _ = selfSigned(t, dir, "other")
	f, err := New(cfg, specs()[:1], nil)
	if err != nil {
		t.Fatal(err)
	}
	if conn, err := f.links[0].dial(t.Context()); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("%v, %v", conn, err)
	}
	cfg.CAFile = filepath.Join(dir, "none")
	if _, err := New(cfg, specs()[:1], nil); err == nil || !strings.Contains(err.Error(), "ca-file: ") {
		t.Errorf("no authority: %v", err)
	}
}
