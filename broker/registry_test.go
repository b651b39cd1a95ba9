package broker

import (
	"context"
	"testing"

	"watchhouse/journal"
	"watchhouse/registry"
)

// The whole on the real registry: devices, a gateway with a child, an observer, and what they may not do.
func TestOnTheRealRegistry(t *testing.T) {
	h, _ := onRegistry(t)
	eye := h.join(hello{user: "eye"})
	if code := eye.subscribe("wh/v1/#", 0, 1); code != 0 {
		t.Fatalf("SUBACK %#x", code)
	}
	h.exchange(eye)
	if code, _ := h.dial().connect(hello{user: "btn-1", secret: "wrong"}); code != 5 {
		t.Errorf("CONNACK %#x", code)
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
