package broker

import (
	"context"
	"log/slog"
	"testing"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// The whole on the real registry: devices, a gateway with a child, an observer, and what they may not do.
func TestOnTheRealRegistry(t *testing.T) {
	ctx := context.Background()
	j := openJournal(t, t.TempDir())
	defer func() { _ = j.Close(ctx) }()
	reg := openRegistry(t, j)
	devices := []registry.Device{
		{ID: "btn-1", Kind: telemetry.EmergencyButton},
		{ID: "gw-1", Kind: telemetry.Gateway},
		{ID: "elder-7", Kind: telemetry.EmergencyButton, Gateway: "gw-1"},
	}
	secrets := map[string]string{"btn-1": "secret-btn-1", "gw-1": "secret-gw-1"}
	if _, err := reg.PutDevices(ctx, "test", devices, secrets); err != nil {
		t.Fatal(err)
	}
	if _, err := reg.PutAccess(ctx, "test", "eye", []registry.Grant{{Filter: "wh/v1/#", Subscribe: true}}, "secret-eye"); err != nil {
		t.Fatal(err)
	}
	b, err := New(testConfig(), Deps{Journal: j, Registry: reg, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Broker: b, t: t, journal: j}
	defer func() {
		if err := b.Stop(ctx); err != nil {
			t.Error(err)
		}
	}()
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	eye := h.join(hello{user: "eye"})
	if code := eye.subscribe("wh/v1/#", 0, 1); code != 0 {
		t.Fatalf("SUBACK %#x", code)
	}
	h.exchange(eye)
	if code, _ := h.dial().connect(hello{user: "btn-1", secret: "wrong"}); code != 5 {
		t.Errorf("CONNACK %#x", code)
	}
	button := h.join(hello{user: "btn-1", v5: true})
	if err := reg.DeleteDevice(ctx, "test", "btn-1"); err != nil {
		t.Fatal(err)
	}
	if _, last := button.expectClosed(); len(last) == 0 || last[0] != codeAdministrator {
		t.Errorf("a deleted device got DISCONNECT % x", last)
	}
}

// exchange has a button and a gateway speak while eye listens.
func (h *house) exchange(eye *wire) {
	h.t.Helper()
	button, gw := h.join(hello{user: "btn-1", v5: true}), h.join(hello{user: "gw-1"})
	for _, step := range []struct {
		w     *wire
		topic string
		code  byte
	}{
		{button, "wh/v1/btn-1/event", 0},
		{gw, "wh/v1/gw-1/child/elder-7/event", 0},
		{gw, "wh/v1/gw-1/child/unknown/event", 0},
		{button, "wh/v1/gw-1/event", codeNotAuthorized},
	} {
		step.w.publish(pub{topic: step.topic, payload: "{}", qos: 1, id: 1})
		step.w.expectAck(typePuback, 1, step.code)
		if step.code == 0 {
			if d := eye.delivery(); d.topic != step.topic {
				h.t.Errorf("delivered %+v, want %s", d, step.topic)
			}
		}
	}
	for topic, w := range map[string]*wire{"wh/v1/btn-1/command": button, "wh/v1/gw-1/child/elder-7/command": gw} {
		if err := h.Publish(topic, []byte("{}")); err != nil {
			h.t.Error(err)
		}
		if d := w.delivery(); d.topic != topic {
			h.t.Errorf("command %+v", d)
		}
		eye.delivery()
	}
	if n := len(h.stored(journal.EventLane)); n != 3 {
		h.t.Errorf("%d events stored", n)
	}
}

func openRegistry(t *testing.T, j *journal.Journal) *registry.Registry {
	t.Helper()
	cfg := registry.DefaultConfig()
	cfg.KeyFile = t.TempDir() + "/key"
	reg, err := registry.Open(context.Background(), cfg, j)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}
