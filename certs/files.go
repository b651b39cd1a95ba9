package certs

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrExists says that a file would have been overwritten.
var ErrExists = errors.New("exists already")

func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
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

// writePEM replaces a file whole, for its owner alone.
func writePEM(name, kind string, der []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), ".part-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if err := errors.Join(pem.Encode(file, &pem.Block{Type: kind, Bytes: der}), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
