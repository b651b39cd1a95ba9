package broker

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"watchhouse/certs"
)

// certificates are an authority in a folder, and what the broker serves of it.
type certificates struct {
	t     testing.TB
	dir   string
	store *certs.Store
}

func newCertificates(t testing.TB, devices ...string) *certificates {
	t.Helper()
	c := &certificates{t: t, dir: t.TempDir()}
	c.must(certs.Init(c.dir, []string{"localhost", "127.0.0.1"}, false))
	c.must(os.WriteFile(c.path("revoked"), nil, 0o600))
	for _, id := range devices {
		_, err := certs.Device(c.dir, id, 30, false)
		c.must(err)
	}
	store, err := openStore(c.dir)
	c.must(err)
	c.store = store
	return c
}

// openStore serves the certificates of a folder.
func openStore(dir string) (*certs.Store, error) {
	cfg := certs.DefaultConfig()
	cfg.CertFile, cfg.KeyFile = filepath.Join(dir, certs.ServerCert), filepath.Join(dir, certs.ServerKey)
	cfg.ClientCAFile, cfg.RevokedFile = filepath.Join(dir, certs.AuthorityCert), filepath.Join(dir, "revoked")
	return certs.Open(cfg)
}

func (c *certificates) path(name string) string { return filepath.Join(c.dir, name) }

func (c *certificates) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// pair is a device's certificate.
func (c *certificates) pair(device string) tls.Certificate {
	c.t.Helper()
	pair, err := tls.LoadX509KeyPair(c.path("device-"+device+".crt"), c.path("device-"+device+".key"))
	c.must(err)
	return pair
}

// client trusts the authority and shows the certificate of a device, unless that is "".
func (c *certificates) client(device string) *tls.Config {
	c.t.Helper()
	text, err := os.ReadFile(c.path(certs.AuthorityCert))
	c.must(err)
	cfg := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
	cfg.RootCAs.AppendCertsFromPEM(text)
	if device != "" {
		cfg.Certificates = []tls.Certificate{c.pair(device)}
	}
	return cfg
}

// startTLS starts a house that speaks TCP, TLS and WSS, and has certificates for some devices.
func startTLS(t testing.TB, change func(*Config), devices ...string) *house {
	t.Helper()
	cfg := testConfig()
	cfg.TLS = "127.0.0.1:0"
	if change != nil {
		change(&cfg)
	}
	return openWith(t, t.TempDir(), cfg, newCertificates(t, devices...))
}

// dialTLS connects over TLS, showing the certificate of a device unless that is "".
func (h *house) dialTLS(device string) *wire {
	h.t.Helper()
	nc, err := tls.Dial("tcp", h.TLSAddr(), h.certificates.client(device))
	if err != nil {
		h.t.Fatal(err)
	}
	return over(h.t, nc)
}
