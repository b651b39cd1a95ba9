package certs

import (
	"crypto/x509"
	"fmt"
	"os"
	"time"
)

// renewalTime is how long before its end a certificate ought to be renewed.
const renewalTime = 30 * 24 * time.Hour

// Warnings are what works and should be mended: a certificate that ends soon, a key that others can read.
func (s *Store) Warnings(now time.Time) []string {
	m := s.current.Load()
	warnings := append(ending("tls.cert_file", m.chain, now), ending("tls.client_ca_file", m.trusted, now)...)
	if info, err := os.Stat(s.cfg.KeyFile); err == nil && info.Mode().Perm()&0o077 != 0 {
		warnings = append(warnings, fmt.Sprintf("tls.key_file: %s can be read by others: chmod 600", s.cfg.KeyFile))
	}
	return warnings
}

func ending(key string, all []*x509.Certificate, now time.Time) (warnings []string) {
	for _, c := range all {
		until := c.NotAfter.UTC().Format(time.DateOnly)
		switch left := c.NotAfter.Sub(now); {
		case left <= 0:
			warnings = append(warnings, fmt.Sprintf("%s: the certificate %s expired on %s", key, c.Subject, until))
		case left < renewalTime:
			warnings = append(warnings, fmt.Sprintf("%s: the certificate %s expires on %s, in %d days", key, c.Subject, until, left/(24*time.Hour)))
		}
	}
	return warnings
}
