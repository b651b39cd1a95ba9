package hub_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"watchhouse/config"
	"watchhouse/hub"
	"watchhouse/registry"
)

// Operators may be added before the first start: the administrator is made all the same, and never twice.
func TestTheFirstStartMakesAnAdministratorWhoeverElseIsThere(t *testing.T) {
	cfg := config.Default()
	cfg.Data, cfg.HTTP, cfg.MQTT.TCP = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0", "127.0.0.1:0"
	cfg.Journal.ReserveBytes = 1 << 20
	h, err := hub.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if err := h.Registry().PutUser(t.Context(), "test", registry.User{Name: "li", Role: registry.Operator}, "a long password"); err != nil {
		t.Fatal(err)
	}
	if generated, err := h.EnsureAdmin(t.Context(), ""); err != nil || len(generated) < 16 {
		t.Errorf("first start: password %q, %v", generated, err)
	}
	if generated, err := h.EnsureAdmin(t.Context(), ""); err != nil || generated != "" {
		t.Errorf("second start: password %q, %v", generated, err)
	}
}
