package broker

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"watchhouse/journal"
)

func offline(topic string) *will {
	return &will{topic: topic, payload: []byte(`{"online":false}`), qos: 1, retain: true}
}

// A lost client's will is journaled like any status, kept for later subscribers and delivered.
func TestWillOfALostClient(t *testing.T) {
	h := start(t)
	eye := h.join(hello{user: "eye"})
	eye.subscribe("wh/v1/+/status", 1, 1)
	w := h.join(hello{user: "btn-1", will: offline("wh/v1/btn-1/status")})
	_ = w.nc.Close()
	if d := eye.delivery(); d.topic != "wh/v1/btn-1/status" || d.payload != `{"online":false}` {
		t.Errorf("delivered %+v", d)
	}
	list := h.stored(journal.StateLane)
	if len(list) != 1 || list[0].Kind != journal.Will || list[0].Device != "btn-1" || !list[0].Retain || list[0].Conn == 0 {
		t.Errorf("stored %+v", list)
	}
	late := h.join(hello{user: "eye", id: "eye~2"})
	late.subscribe("wh/v1/btn-1/status", 1, 1)
	if d := late.delivery(); !d.retain || d.payload != `{"online":false}` {
		t.Errorf("retained %+v", d)
	}
}

// Which ends fire the will and which do not.
func TestWillFires(t *testing.T) {
	tests := []struct {
		name  string
		v5    bool
		end   func(h *house, w *wire)
		fires int
	}{
		{"goodbye", false, func(_ *house, w *wire) { w.write([]byte{typeDisconnect << 4, 0}) }, 0},
		{"goodbye v5", true, func(_ *house, w *wire) { w.write([]byte{typeDisconnect << 4, 2, 0, 0}) }, 0},
		{"goodbye with will, shortest form", true, func(_ *house, w *wire) { w.write([]byte{typeDisconnect << 4, 1, 4}) }, 1},
		{"goodbye with will", true, func(_ *house, w *wire) { w.write([]byte{typeDisconnect << 4, 2, 4, 0}) }, 1},
		{"closed", false, func(_ *house, w *wire) { _ = w.nc.Close() }, 1},
		{"malformed", false, func(_ *house, w *wire) { w.write([]byte{typePuback << 4, 0}) }, 1},
		{"taken over", false, func(h *house, _ *wire) { h.join(hello{user: "btn-1"}) }, 1},
		{"revoked", false, func(h *house, _ *wire) { h.Disconnect("btn-1") }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := start(t)
			w := h.join(hello{user: "btn-1", v5: tt.v5, will: offline("wh/v1/btn-1/status")})
			tt.end(h, w)
			eventually(t, "the session ends", func() bool { return len(h.state.taken(journal.Disconnect)) == 1 })
			if n := len(h.state.taken(journal.Will)); n != tt.fires {
				t.Errorf("%d wills, want %d", n, tt.fires)
			}
		})
	}
}

// The library's Close fires the will of every client: a restart would tell that all devices have died.
func TestShutdownFiresNoWill(t *testing.T) {
	h := start(t)
	var all []*wire
	for _, v5 := range []bool{false, true} {
		all = append(all,
			h.join(hello{user: "gw-1", id: "gw-1~" + map[bool]string{false: "a", true: "b"}[v5], v5: v5, will: offline("wh/v1/gw-1/status")}))
	}
	delayed := h.join(hello{
		user: "btn-1", v5: true, will: offline("wh/v1/btn-1/status"),
		props: binary.BigEndian.AppendUint32([]byte{17}, 60), willProps: binary.BigEndian.AppendUint32([]byte{24}, 1),
	})
	_ = delayed.nc.Close()
	h.expectReasons("btn-1", reasonClosed)
	ctx, cancel := context.WithTimeout(context.Background(), patient10)
	defer cancel()
	if err := h.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		heads, last := w.expectClosed()
		if w.v5 && (len(heads) != 1 || last[0] != codeShutdown) || !w.v5 && len(heads) != 0 {
			t.Errorf("v5 %v got % x % x", w.v5, heads, last)
		}
	}
	h.expectReasons("gw-1", reasonShutdown, reasonShutdown)
	if n := len(h.state.taken(journal.Will)); n != 0 {
		t.Errorf("%d wills", n)
	}
}

// A v5 will with a delay waits, and is dropped when its client comes back in time.
func TestDelayedWill(t *testing.T) {
	h := start(t)
	o := hello{
		user: "btn-1", v5: true, persist: true, will: offline("wh/v1/btn-1/status"),
		props: binary.BigEndian.AppendUint32([]byte{17}, 60), willProps: binary.BigEndian.AppendUint32([]byte{24}, 1),
	}
	w := h.join(o)
	_ = w.nc.Close()
	h.expectReasons("btn-1", reasonClosed)
	w = h.join(o)
	if n := len(h.state.taken(journal.Will)); n != 0 {
		t.Errorf("%d wills before the delay was over", n)
	}
	began := time.Now()
	_ = w.nc.Close()
	eventually(t, "the will of the second session", func() bool { return len(h.state.taken(journal.Will)) == 1 })
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("fired after %v", took)
	}
}

func TestNoWillForASessionThatNeverBegan(t *testing.T) {
	h := start(t)
	h.state.set(errDisk, nil)
	w := h.dial()
	w.connect(hello{user: "btn-1", will: offline("wh/v1/btn-1/status")})
	w.expectClosed()
	h.state.set(nil, nil)
	eventually(t, "the connection is gone", func() bool { return h.Stats().Connections == 0 })
	if n := len(h.state.taken(journal.Will)); n != 0 {
		t.Errorf("%d wills", n)
	}
}
