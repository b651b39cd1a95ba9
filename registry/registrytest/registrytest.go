package registrytest

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
)

// Secret is a secret for devices of tests; each test's registry is thrown away.
const Secret = "a-device-secret-of-a-test"

// Open opens an empty registry on a journal of its own, closed by the test's cleanup.
func Open(tb testing.TB) *registry.Registry {
	tb.Helper()
	r, _ := OpenJournal(tb)
	return r
}

// OpenJournal gives the journal too.
func OpenJournal(tb testing.TB) (*registry.Registry, *journal.Journal) {
	tb.Helper()
	dir := tb.TempDir()
	cfg := journal.DefaultConfig()
	cfg.Dir = filepath.Join(dir, "data")
	cfg.ReserveBytes = 1 << 20
	j, err := journal.Open(tb.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatalf("open journal: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := j.Close(ctx); err != nil {
			tb.Errorf("close journal: %v", err)
		}
	})
	r, err := registry.Open(tb.Context(), registry.Config{KeyFile: filepath.Join(dir, "data.key")}, j)
	if err != nil {
		tb.Fatalf("open registry: %v", err)
	}
	return r, j
}

// Put registers devices, each with Secret.
func Put(tb testing.TB, r *registry.Registry, devices ...registry.Device) {
	tb.Helper()
	secrets := make(map[string]string, len(devices))
	for _, d := range devices {
		secrets[d.ID] = Secret
	}
	if _, err := r.PutDevices(tb.Context(), "test", devices, secrets); err != nil {
		tb.Fatalf("put devices: %v", err)
	}
}
