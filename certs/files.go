package certs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"watchhouse/internal/durable"
)

// ErrExists says that a file would have been overwritten.
var ErrExists = errors.New("exists already")

func makeFolder(dir string) error {
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	return nil
}

// vacant wants none of the files to exist, unless they may be replaced.
func vacant(dir string, force bool, files ...string) error {
	for _, file := range files {
		name := filepath.Join(dir, file)
		if _, err := os.Lstat(name); err == nil && !force {
			return fmt.Errorf("%s %w", name, ErrExists)
		} else if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// readCertificates reads the certificates of a file, one at least.
func readCertificates(name string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d: %w", name, len(all)+1, err)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: want certificates in PEM, found none", name)
	}
	return all, nil
}

// nextKey is how a key's file ends until the certificate of the key is in place.
const nextKey = ".next"

// writePair replaces the files of a key and of its certificate, for their owner alone. The certificate's taking its name is the moment: the
// new key lies beside the old one by then, and loadPair finds it there should the power fail before it takes the old one's name.
func writePair(keyFile string, key []byte, certFile string, cert []byte) error {
	if err := settlePair(certFile, keyFile); err != nil {
		return err
	}
	if err := durable.WriteFile(keyFile+nextKey, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})); err != nil {
		return err
	}
	if err := durable.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})); err != nil {
		return err
	}
	return durable.Rename(keyFile+nextKey, keyFile)
}

// settlePair ends what an earlier writePair had no power for: the key that the certificate needs would be overwritten.
func settlePair(certFile, keyFile string) error {
	if _, err := tls.LoadX509KeyPair(certFile, keyFile); err == nil {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(certFile, keyFile+nextKey); err != nil {
		return nil // there is no pair to save
	}
	return durable.Rename(keyFile+nextKey, keyFile)
}

// loadPair reads a certificate and its key.
func loadPair(certFile, keyFile string) (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		if next, nerr := tls.LoadX509KeyPair(certFile, keyFile+nextKey); nerr == nil {
			return next, nil
		}
	}
	return pair, err
}
