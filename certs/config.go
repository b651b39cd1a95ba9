package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// Config of the hub's certificates. All files are PEM.
type Config struct {
	CertFile     string `yaml:"cert_file"`      // the hub's certificate, then those between it and its authority; "" = no TLS
	KeyFile      string `yaml:"key_file"`       // its private key
	ClientCAFile string `yaml:"client_ca_file"` // authorities that sign devices' certificates; "" = no mutual TLS
	ClientAuth   string `yaml:"client_auth"`    // whether MQTT clients show a certificate
	RevokedFile  string `yaml:"revoked_file"`   // SHA-256 fingerprints of devices' certificates that are refused, one a line
}

// Whether MQTT clients show a certificate.
const (
	ClientAuthOff      = "off"
	ClientAuthOptional = "optional" // with one no password is needed
	ClientAuthRequired = "required"
)

// DefaultConfig has no certificate: listeners on loopback need none.
func DefaultConfig() Config { return Config{ClientAuth: ClientAuthOptional} }

// Enabled tells whether there is a certificate.
func (c Config) Enabled() bool { return c.CertFile != "" }

// Validate names every faulty key. It does not look at the files.
func (c Config) Validate() error {
	var faults []error
	if (c.CertFile == "") != (c.KeyFile == "") {
		missing := map[bool]string{true: "cert_file", false: "key_file"}[c.CertFile == ""]
		faults = append(faults, fmt.Errorf("%s: set it too: a certificate and its key belong together", missing))
	}
	if c.ClientCAFile != "" && !c.Enabled() {
		faults = append(faults, errors.New("client_ca_file: needs cert_file and key_file: without TLS no certificate is shown"))
	}
	if c.RevokedFile != "" && c.ClientCAFile == "" {
		faults = append(faults, errors.New("revoked_file: needs client_ca_file: without it no certificate is taken"))
	}
	if _, ok := clientAuth(c.ClientAuth); !ok {
		faults = append(faults, fmt.Errorf("client_auth: must be off, optional or required, is %q", c.ClientAuth))
	}
	if c.ClientAuth == ClientAuthRequired && c.ClientCAFile == "" {
		faults = append(faults, errors.New("client_auth: required needs client_ca_file"))
	}
	return errors.Join(faults...)
}

func clientAuth(word string) (tls.ClientAuthType, bool) {
	switch word {
	case ClientAuthOff:
		return tls.NoClientCert, true
	case ClientAuthOptional:
		return tls.VerifyClientCertIfGiven, true
	case ClientAuthRequired:
		return tls.RequireAndVerifyClientCert, true
	default:
		return tls.NoClientCert, false
	}
}
