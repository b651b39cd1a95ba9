package ingest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchhouse/registry"
)

func TestConfigNamesTheFaultyKey(t *testing.T) {
	for key, change := range map[string]func(*Config){
		"batch_size: want":                    func(c *Config) { c.BatchSize = 0 },
		"batch_size: want 1":                  func(c *Config) { c.BatchSize = 1_000_000 },
		"timeout: want":                       func(c *Config) { c.Timeout = time.Millisecond },
		"timeout: want 100ms":                 func(c *Config) { c.Timeout = time.Hour },
		"token_file: not together with token": func(c *Config) { c.Token, c.TokenFile = "a", "b" },
		"bucket: needed":                      func(c *Config) { c.Bucket = "" },
		"url: not a URL":                      func(c *Config) { c.URL = "http://a b:%" },
		"url: want http":                      func(c *Config) { c.URL = "localhost:8086" },
		"url: want http://HOST":               func(c *Config) { c.URL = "http://" },
		"url: must not hold a user":           func(c *Config) { c.URL = "http://me:secret@db:8086" },
		"url: must not hold a query":          func(c *Config) { c.URL = "http://db:8086/?org=x" },
	} {
		cfg := DefaultConfig()
		cfg.URL = "http://db:8086"
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		err := cfg.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), key) || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v, want one that begins with %q", err, key)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
}

func TestTheTokenComesFromItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.TokenFile = path
	if got, err := cfg.token(); got != "sesame" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	cfg.URL, cfg.TokenFile = "http://db:8086", path+".none"
	j := openJournal(t, t.TempDir())
	if _, err := New(cfg, Deps{Journal: j, Registry: new(registry.Registry)}); err == nil || !strings.Contains(err.Error(), "token_file") {
		t.Errorf("error %v, want one that names token_file", err)
	}
}
