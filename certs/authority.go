package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"watchhouse/telemetry"
)

// Files of a folder, besides device-ID.crt and device-ID.key.
const (
	AuthorityCert = "ca.crt" // what devices and browsers trust
	AuthorityKey  = "ca.key" // signs; belongs in a safe, not on the hub
	ServerCert    = "server.crt"
	ServerKey     = "server.key"
)

// How long certificates are valid. Browsers of one maker refuse servers' certificates that are valid for longer.
const (
	authorityYears = 20
	serverDays     = 825
	clockSlack     = time.Hour // a device's clock may be behind
)

// Init makes an authority and a server's certificate in dir. It replaces those of before only with force: every device would have to
// be given the new authority.
func Init(dir string, hosts []string, force bool) error {
	if err := makeFolder(dir); err != nil {
		return err
	}
	if err := vacant(dir, force, AuthorityCert, AuthorityKey, ServerCert, ServerKey); err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Watchhouse CA " + time.Now().Format("2006-01-02")},
		NotAfter:              time.Now().AddDate(authorityYears, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
	}
	if err := issue(dir, AuthorityCert, AuthorityKey, template, nil); err != nil {
		return err
	}
	return Renew(dir, hosts)
}

// Renew makes a new server's certificate with the authority of dir, for the same hosts when none are given. A running hub takes it by
// itself.
func Renew(dir string, hosts []string) error {
	authority, err := openAuthority(dir)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		NotAfter:    time.Now().AddDate(0, 0, serverDays),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if err := nameHosts(template, dir, hosts); err != nil {
		return err
	}
	return issue(dir, ServerCert, ServerKey, template, authority)
}

// nameHosts enters the hosts, or those of the certificate of before.
func nameHosts(template *x509.Certificate, dir string, hosts []string) error {
	for _, host := range hosts {
		switch ip := net.ParseIP(host); {
		case ip != nil:
			template.IPAddresses = append(template.IPAddresses, ip)
		case host == "" || len(host) > 253:
			return fmt.Errorf("host %q: want a name or an IP address", host)
		default:
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if len(hosts) == 0 {
		before, err := readCertificates(filepath.Join(dir, ServerCert))
		if err != nil {
			return fmt.Errorf("hosts of the certificate of before: %w", err)
		}
		template.DNSNames, template.IPAddresses = before[0].DNSNames, before[0].IPAddresses
	}
	template.Subject.CommonName = slices.Concat(template.DNSNames, []string{"Watchhouse"})[0]
	return nil
}

// Device makes a device's certificate for mutual TLS and gives its fingerprint.
func Device(dir, id string, days int, force bool) (fingerprint string, err error) {
	if !telemetry.ValidID(id) {
		return "", fmt.Errorf("id %q: want letters, digits, _ and -, beginning with a letter or digit, at most 64", id)
	}
	authority, err := openAuthority(dir)
	if err != nil {
		return "", err
	}
	cert, key := "device-"+id+".crt", "device-"+id+".key"
	if err := vacant(dir, force, cert, key); err != nil {
		return "", err
	}
	name, err := url.Parse(devicePrefix + id)
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: id},
		URIs:        []*url.URL{name},
		NotAfter:    time.Now().AddDate(0, 0, days),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if err := issue(dir, cert, key, template, authority); err != nil {
		return "", err
	}
	made, err := readCertificates(filepath.Join(dir, cert))
	if err != nil {
		return "", err
	}
	return Fingerprint(made[0]), nil
}

func openAuthority(dir string) (*tls.Certificate, error) {
	pair, err := loadPair(filepath.Join(dir, AuthorityCert), filepath.Join(dir, AuthorityKey))
	if err != nil {
		return nil, fmt.Errorf("open the authority: %w", err)
	}
	if !pair.Leaf.IsCA {
		return nil, fmt.Errorf("open the authority: %s is no authority's", filepath.Join(dir, AuthorityCert))
	}
	return &pair, nil
}

// issue writes the certificate of a new key, signed by authority or, without one, by itself.
func issue(dir, certFile, keyFile string, template *x509.Certificate, authority *tls.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template.NotBefore = time.Now().Add(-clockSlack)
	parent, signer := template, any(key)
	if authority != nil {
		parent, signer = authority.Leaf, authority.PrivateKey
		if template.NotAfter.After(parent.NotAfter) {
			return errors.New("the certificate would outlive its authority: ask for fewer days, or make a new authority")
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePair(filepath.Join(dir, keyFile), secret, filepath.Join(dir, certFile), der)
}
