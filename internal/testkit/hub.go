package testkit

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"watchhouse/config"
	"watchhouse/hub"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// Password of every user made by the kit.
const Password = "correct horse battery staple"

// Secret of every device made by the kit.
const Secret = "a-device-secret-of-a-test"

// Hub is a running hub with its data in a temporary folder.
type Hub struct {
	*hub.Hub
	cfg config.Config
	tb  testing.TB
}

// StartHub starts a hub on free ports with an administrator "admin" and Password.
func StartHub(tb testing.TB, adjust ...func(*config.Config)) *Hub {
	tb.Helper()
	cfg := config.Default()
	cfg.Data, cfg.HTTP = tb.TempDir()+"/data", "127.0.0.1:0"
	cfg.MQTT.TCP, cfg.MQTT.WebSocket = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Journal.ReserveBytes = 1 << 20
	for _, change := range adjust {
		change(&cfg)
	}
	h := &Hub{cfg: cfg, tb: tb}
	h.start()
	tb.Cleanup(h.stop)
	if _, err := h.EnsureAdmin(tb.Context(), Password); err != nil {
		tb.Fatalf("create admin: %v", err)
	}
	return h
}

// Restart stops the hub cleanly and starts it over the same data, on the same ports.
func (h *Hub) Restart() {
	h.tb.Helper()
	h.cfg.HTTP, h.cfg.MQTT.TCP, h.cfg.MQTT.WebSocket = h.HTTPAddr(), h.MQTTAddr(), h.MQTTWebSocketAddr()
	h.stop()
	h.start()
}

// AddDevices registers devices of one kind with Secret.
func (h *Hub) AddDevices(kind telemetry.Kind, ids ...string) {
	h.tb.Helper()
	var devices []registry.Device
	secrets := map[string]string{}
	for _, id := range ids {
		devices = append(devices, registry.Device{ID: id, Kind: kind})
		secrets[id] = Secret
	}
	if _, err := h.Registry().PutDevices(h.tb.Context(), "test", devices, secrets); err != nil {
		h.tb.Fatalf("register %v: %v", ids, err)
	}
}

func (h *Hub) start() {
	h.tb.Helper()
	started, err := hub.New(context.Background(), h.cfg, testLogger())
	if err != nil {
		h.tb.Fatalf("new hub: %v", err)
	}
	if err := started.Start(); err != nil {
		h.tb.Fatalf("start hub: %v", err)
	}
	h.Hub = started
}

func (h *Hub) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := h.Stop(ctx); err != nil {
		h.tb.Errorf("stop hub: %v", err)
	}
}

// testLogger is silent unless the person running the test asks for the hub's log.
func testLogger() *slog.Logger {
	if os.Getenv("TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Eventually polls until check gives "" and otherwise fails with its last word.
func Eventually(tb testing.TB, limit time.Duration, check func() string) {
	tb.Helper()
	deadline := time.Now().Add(limit)
	for {
		missing := check()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("after %v: %s", limit, missing)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
