package certs

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// folder is an authority with a server's certificate in a temporary folder.
type folder struct {
	t   *testing.T
	dir string
}

func newFolder(t *testing.T, hosts ...string) folder {
	t.Helper()
	f := folder{t, t.TempDir()}
	f.must(Init(f.dir, append(hosts, "hub.test"), false))
	return f
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) config() Config {
	c := DefaultConfig()
	c.CertFile, c.KeyFile, c.ClientCAFile, c.RevokedFile = f.path(ServerCert), f.path(ServerKey), f.path(AuthorityCert), f.path("revoked.txt")
	if _, err := os.Stat(c.RevokedFile); err != nil {
		f.must(os.WriteFile(c.RevokedFile, nil, 0o600))
	}
	return c
}

func (f folder) store() *Store {
	f.t.Helper()
	s, err := Open(f.config())
	f.must(err)
	return s
}

// client trusts the folder's authority and shows the certificate of a device, unless that is "".
func (f folder) client(device string) *tls.Config {
	f.t.Helper()
	text, err := os.ReadFile(f.path(AuthorityCert))
	f.must(err)
	c := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "hub.test"}
	if !c.RootCAs.AppendCertsFromPEM(text) {
		f.t.Fatal("no authority in the file")
	}
	if device != "" {
		c.Certificates = []tls.Certificate{f.pair("device-"+device+".crt", "device-"+device+".key")}
	}
	return c
}

func (f folder) pair(cert, key string) tls.Certificate {
	f.t.Helper()
	pair, err := tls.LoadX509KeyPair(f.path(cert), f.path(key))
	f.must(err)
	return pair
}

func (f folder) device(id string) (fingerprint string) {
	f.t.Helper()
	fingerprint, err := Device(f.dir, id, 30, false)
	f.must(err)
	return fingerprint
}

// greet makes a connection and has one byte go to the client, so that a refusal after the client's part of the handshake is seen.
func greet(t *testing.T, server, client *tls.Config) (onServer, onClient tls.ConnectionState, err error) {
	t.Helper()
	ours, theirs := pipe(t)
	s, c := tls.Server(ours, server), tls.Client(theirs, client)
	served := make(chan error, 1)
	go func() {
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte{1})
		}
		_ = ours.Close()
		served <- err
	}()
	_, err = c.Read(make([]byte, 1))
	if refused := <-served; refused != nil {
		err = refused
	}
	return s.ConnectionState(), c.ConnectionState(), err
}

// pipe is a TCP connection: net.Pipe would block where both sides write.
func pipe(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if theirs, err = net.Dial("tcp", l.Addr().String()); err == nil {
		ours, err = l.Accept()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{ours, theirs} {
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	return ours, theirs
}
