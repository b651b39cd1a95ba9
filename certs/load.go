package certs

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// material is what was loaded together; it is never changed.
type material struct {
	pair    tls.Certificate
	chain   []*x509.Certificate // of pair, parsed
	clients *x509.CertPool      // nil = no mutual TLS
	trusted []*x509.Certificate // the certificates in clients
	revoked map[[sha256.Size]byte]bool
}

// load reads all files.
func load(c Config) (*material, error) {
	m := &material{}
	var err error
	if m.pair, err = loadPair(c.CertFile, c.KeyFile); err != nil {
		return nil, fmt.Errorf("tls.cert_file, tls.key_file: %w", err)
	}
	if m.chain, err = checkChain(m.pair); err != nil {
		return nil, fmt.Errorf("tls.cert_file: %s: %w", c.CertFile, err)
	}
	if c.ClientCAFile != "" {
		if m.trusted, err = loadAuthorities(c.ClientCAFile); err != nil {
			return nil, fmt.Errorf("tls.client_ca_file: %w", err)
		}
		m.clients = x509.NewCertPool()
		for _, authority := range m.trusted {
			m.clients.AddCert(authority)
		}
	}
	if c.RevokedFile != "" {
		if m.revoked, err = loadFingerprints(c.RevokedFile); err != nil {
			return nil, fmt.Errorf("tls.revoked_file: %w", err)
		}
	}
	return m, nil
}

// checkChain wants each certificate to be signed by the next, and the first to be a server's.
func checkChain(pair tls.Certificate) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for _, der := range pair.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	for i, c := range chain[1:] {
		if err := chain[i].CheckSignatureFrom(c); err != nil {
			return nil, fmt.Errorf("certificate %d is not signed by the next one: %w", i+1, err)
		}
	}
	if uses := chain[0].ExtKeyUsage; len(uses) > 0 && !slices.Contains(uses, x509.ExtKeyUsageServerAuth) && !slices.Contains(uses, x509.ExtKeyUsageAny) {
		return nil, errors.New("the certificate is not for a server")
	}
	return chain, nil
}

func loadAuthorities(file string) ([]*x509.Certificate, error) {
	all, err := readCertificates(file)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(c *x509.Certificate) bool { return !c.IsCA }); i >= 0 {
		return nil, fmt.Errorf("%s: certificate %d is no authority's", file, i+1)
	}
	return all, nil
}

// loadFingerprints reads SHA-256 sums in hex, colons allowed, one a line; # begins a comment.
func loadFingerprints(file string) (map[[sha256.Size]byte]bool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	all := map[[sha256.Size]byte]bool{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		word, _, _ := strings.Cut(lines.Text(), "#")
		word = strings.ReplaceAll(strings.TrimSpace(word), ":", "")
		if word == "" {
			continue
		}
		sum, err := hex.DecodeString(word)
		if err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("%s:%d: want a SHA-256 fingerprint of 64 hex digits", file, n)
		}
		all[[sha256.Size]byte(sum)] = true
	}
	return all, lines.Err()
}

// notAfter is when the first certificate of the hub's chain expires.
func (m *material) notAfter() time.Time {
	first := m.chain[0].NotAfter
	for _, c := range m.chain[1:] {
		if c.NotAfter.Before(first) {
			first = c.NotAfter
		}
	}
	return first
}

// errRevoked ends a handshake; the client sees "bad certificate".
var errRevoked = errors.New("the certificate is revoked")

// admit refuses a revoked certificate, also on a resumed session.
func (m *material) admit(state tls.ConnectionState) error {
	if len(state.PeerCertificates) > 0 && len(m.revoked) > 0 && m.revoked[sha256.Sum256(state.PeerCertificates[0].Raw)] {
		return errRevoked
	}
	return nil
}
