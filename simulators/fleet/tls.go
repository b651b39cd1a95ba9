package fleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// certificate gives the names of a device's files in a folder of certificates, as watchhouse tls device makes them.
func certificate(dir, id string) (cert, key string) {
	return filepath.Join(dir, "device-"+id+".crt"), filepath.Join(dir, "device-"+id+".key")
}

// HasCertificate tells whether the folder of certificates has one for a device, which then needs no secret.
func (c Config) HasCertificate(id string) bool {
	cert, _ := certificate(c.Certificates, id)
	_, err := os.Stat(cert)
	return c.Certificates != "" && err == nil
}

// trusted are the authorities that may have signed the broker's certificate; nil is the system's.
func (c Config) trusted() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("ca-file: %s: want certificates in PEM, found none", c.CAFile)
	}
	return pool, nil
}

// encrypt gives every link its own settings: a resumed session carries the certificate of who began it.
func (f *Fleet) encrypt(host string) error {
	pool, err := f.cfg.trusted()
	if err != nil {
		return err
	}
	for _, l := range f.links {
		l.tls = &tls.Config{RootCAs: pool, ServerName: host, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		if id := l.name; f.cfg.HasCertificate(id) {
			pair, err := tls.LoadX509KeyPair(certificate(f.cfg.Certificates, id))
			if err != nil {
				return fmt.Errorf("certificate of %s: %w", id, err)
			}
			l.tls.Certificates = []tls.Certificate{pair}
		}
	}
	return nil
}

// dial opens the link's connection, encrypted when the broker's address says so.
func (l *link) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", l.fleet.addr)
	if err != nil {
		return nil, err
	}
	l.setConn(conn)
	if l.tls == nil {
		return wire{conn}, nil
	}
	over := tls.Client(conn, l.tls)
	if err := over.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return wire{over}, nil
}
