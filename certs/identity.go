package certs

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
)

// devicePrefix begins the URI that names a device in a certificate.
const devicePrefix = "urn:watchhouse:device:"

// Names are the devices that a certificate speaks for: its alternative names, else its common name.
func Names(c *x509.Certificate) []string {
	var names []string
	for _, u := range c.URIs {
		if id, ok := strings.CutPrefix(u.String(), devicePrefix); ok {
			names = append(names, id)
		}
	}
	names = append(names, c.DNSNames...)
	if len(names) == 0 && c.Subject.CommonName != "" {
		names = []string{c.Subject.CommonName}
	}
	return names
}

// Fingerprint is how a certificate is named in the file of the revoked.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}
