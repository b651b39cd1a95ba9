package ingest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

// Config of the time-series database; URL empty = none.
type Config struct {
	URL       string        `yaml:"url"`
	Org       string        `yaml:"org"`    // "" for InfluxDB 1.8
	Bucket    string        `yaml:"bucket"` // for InfluxDB 1.8: "db/rp"
	Token     string        `yaml:"token"`  // for InfluxDB 1.8: "user:password"
	TokenFile string        `yaml:"token_file"`
	BatchSize int           `yaml:"batch_size"` // points in one request
	Timeout   time.Duration `yaml:"timeout"`    // of one write
}

// Limits of the configuration.
const (
	maxBatchSize = 50_000
	minTimeout   = 100 * time.Millisecond
	maxTimeout   = 5 * time.Minute
)

// DefaultConfig has no database. 5,000 points are the size InfluxData recommends.
func DefaultConfig() Config {
	return Config{Bucket: "watchhouse/autogen", BatchSize: 5000, Timeout: 10 * time.Second}
}

// Validate names the faulty key. It reads no file.
func (c Config) Validate() error {
	if c.BatchSize < 1 || c.BatchSize > maxBatchSize {
		return fmt.Errorf("batch_size: want 1 to %d, got %d", maxBatchSize, c.BatchSize)
	}
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		return fmt.Errorf("timeout: want %v to %v, got %v", minTimeout, maxTimeout, c.Timeout)
	}
	if c.Token != "" && c.TokenFile != "" {
		return errors.New("token_file: not together with token")
	}
	if c.URL == "" {
		return nil
	}
	if c.Bucket == "" {
		return errors.New("bucket: needed with url")
	}
	return validateURL(c.URL)
}

// validateURL refuses a password in the URL: it would reach logs.
func validateURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return errors.New("url: not a URL")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return errors.New("url: want http://HOST:PORT or https://HOST:PORT")
	case u.User != nil:
		return errors.New("url: must not hold a user; use token")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("url: must not hold a query or fragment")
	}
	return nil
}

// token reads the secret from where it is configured.
func (c Config) token() (string, error) {
	if c.TokenFile == "" {
		return c.Token, nil
	}
	text, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return "", fmt.Errorf("token_file: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
