package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Store serves the certificates of now to handshakes.
type Store struct {
	cfg     Config
	current atomic.Pointer[material]
	failed  atomic.Uint64

	mu    sync.Mutex // guards what follows
	tried string     // the files as they were at the last attempt
	fault error      // of the last attempt
}

// Open loads the certificates.
func Open(cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, tried: stamp(cfg)}
	m, err := load(cfg)
	if err != nil {
		return nil, err
	}
	s.current.Store(m)
	return s, nil
}

// Reload loads the files again. After an error the certificates of before are served on.
func (s *Store) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried = stamp(s.cfg) // before they are read: a change meanwhile is seen next time
	m, err := load(s.cfg)
	if s.fault = err; err != nil {
		s.failed.Add(1)
		return err
	}
	s.current.Store(m)
	return nil
}

// Changed tells whether a file is another than at the last attempt, which makes a broken one be tried once.
func (s *Store) Changed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return stamp(s.cfg) != s.tried
}

// Watch calls reload whenever a file has changed, until ctx ends. It looks each interval.
func (s *Store) Watch(ctx context.Context, every time.Duration, reload func()) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if s.Changed() {
				reload()
			}
		}
	}
}

// stamp is what a file's directory entry says of its contents.
func stamp(c Config) string {
	var all strings.Builder
	for _, file := range []string{c.CertFile, c.KeyFile, c.ClientCAFile, c.RevokedFile} {
		if info, err := os.Stat(file); err == nil {
			fmt.Fprintf(&all, "%d %d", info.ModTime().UnixNano(), info.Size())
		}
		all.WriteByte('\n')
	}
	return all.String()
}

// Fault is why the last reload failed, nil when it did not.
func (s *Store) Fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// Failed counts the reloads that failed.
func (s *Store) Failed() uint64 { return s.failed.Load() }

// NotAfter is when the hub's certificate, or one that signed it, expires.
func (s *Store) NotAfter() time.Time { return s.current.Load().notAfter() }

// Admits tells whether a connection that stands would be let in now: its certificate may have been revoked since.
func (s *Store) Admits(state tls.ConnectionState) bool { return s.current.Load().admit(state) == nil }

// Web is for listeners that browsers use: it asks nobody for a certificate.
func (s *Store) Web() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &s.current.Load().pair, nil
		},
	}
}

// MQTT is for listeners that devices use. Every handshake gets a configuration of the certificates of now; the keys of session tickets
// stay those of the one returned here, so that a reload does not end resumption. Which protocol a client names (ALPN) is all the same.
func (s *Store) MQTT() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.forDevices(), nil },
	}
}

func (s *Store) forDevices() *tls.Config {
	m := s.current.Load()
	c := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{m.pair},
	}
	if m.clients != nil {
		c.ClientAuth, _ = clientAuth(s.cfg.ClientAuth) // Validate has seen it
		c.ClientCAs = m.clients
		c.VerifyConnection = m.admit
	}
	return c
}
