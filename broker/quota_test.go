package broker

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The ninth connection of an account is refused by the code of its protocol and named in the log; the eight and other accounts go on.
func TestConnectionsOfAnAccountAreLimited(t *testing.T) {
	h := start(t)
	for i := range 8 {
		h.join(hello{user: "btn-1", id: fmt.Sprintf("btn-1~%d", i)})
	}
	for v5, want := range map[bool]byte{false: 3, true: codeQuota} {
		w := h.dial()
		if code, _ := w.connect(hello{user: "btn-1", id: "btn-1~more", v5: v5}); code != want {
			t.Errorf("v5 %v: CONNACK %#x, want %#x", v5, code, want)
		}
		w.expectClosed()
	}
	if log := h.log.String(); strings.Count(log, "all the connections") != 1 || !strings.Contains(log, "account=btn-1") {
		t.Errorf("the log says: %s", log)
	}
	h.join(hello{user: "btn-1", id: "btn-1~3"}).ping() // a takeover is no further connection
	h.join(hello{user: "btn-2"}).ping()
	if n := h.Stats().OverQuota; n != 2 {
		t.Errorf("%d refusals counted", n)
	}
}

// Who comes back under ever new client ids is not locked out by its own half-open connections.
func TestAHalfOpenConnectionMakesRoom(t *testing.T) {
	inBubble(t, nil, func(x *bubble) {
		silent := x.join(hello{user: "btn-1", id: "btn-1~0", keepalive: 3600, v5: true, persist: true, props: expirySeconds(3600)})
		time.Sleep(time.Minute)
		for i := range 7 {
			x.join(hello{user: "btn-1", id: fmt.Sprintf("btn-1~%d", i+1), keepalive: 3600})
		}
		w := x.dial()
		if code, _ := w.connect(hello{user: "btn-1", id: "btn-1~early"}); code != 3 {
			t.Fatalf("CONNACK %#x while all eight live", code)
		}
		time.Sleep(staleAfter)
		go func() { _, _ = silent.r.WriteTo(io.Discard) }()
		x.join(hello{user: "btn-1", id: "btn-1~new"}).ping()
		if _, kept := x.lib.Clients.Get("btn-1~0"); kept || x.table.client("btn-1~0") != nil {
			t.Error("the silent one is still there")
		}
	})
}

// expirySeconds is the property Session Expiry Interval.
func expirySeconds(seconds uint32) []byte { return binary.BigEndian.AppendUint32([]byte{17}, seconds) }

// The ninth session ends the one that is away the longest; nothing of it stays behind.
func TestSessionsOfAnAccountAreLimited(t *testing.T) {
	inBubble(t, nil, func(x *bubble) {
		for i := range 40 {
			w := x.join(hello{user: "eye", id: fmt.Sprintf("eye~%d", i), persist: true})
			if code := w.subscribe(fmt.Sprintf("wh/v1/btn-%d/event", i), 1, 1); code != 1 {
				t.Fatalf("session %d: SUBACK %#x", i, code)
			}
			_ = w.nc.Close()
			pass(2 * time.Second)
		}
		for i := range 40 {
			_, kept := x.lib.Clients.Get(fmt.Sprintf("eye~%d", i))
			if want := i >= 32; kept != want {
				t.Errorf("session %d kept: %v, want %v", i, kept, want)
			}
		}
		if n := len(x.lib.Topics.Subscribers("wh/v1/btn-3/event").Subscriptions); n != 0 {
			t.Errorf("%d subscriptions of a session that is gone", n)
		}
	})
}

// A will that waits for its delay is due when its session makes room.
func TestASessionThatMakesRoomPublishesItsWill(t *testing.T) {
	inBubble(t, nil, func(x *bubble) {
		w := x.join(hello{
			user: "btn-1", id: "btn-1~0", v5: true, persist: true, props: expirySeconds(3600),
			will: &will{topic: "wh/v1/btn-1/status", payload: []byte(`{"online":false}`)}, willProps: append([]byte{24}, 0, 0, 14, 16),
		})
		_ = w.nc.Close()
		pass(time.Second)
		for i := range 8 {
			_ = x.join(hello{user: "btn-1", id: fmt.Sprintf("btn-1~%d", i+1), persist: true}).nc.Close()
			pass(time.Second)
		}
		if n := x.Stats().Wills; n != 1 {
			t.Errorf("%d wills", n)
		}
	})
}

// Filters beyond the 64 of an account are refused one by one, shared ones too; those it has can be repeated, and unsubscribing makes room.
func TestSubscriptionsOfAnAccountAreLimited(t *testing.T) {
	for v5, want := range map[bool]byte{false: 0x80, true: codeQuota} {
		t.Run(fmt.Sprintf("v5=%v", v5), func(t *testing.T) {
			h := start(t)
			first, second := h.join(hello{user: "eye", v5: v5}), h.join(hello{user: "eye", id: "eye~2", v5: v5})
			for i := range 32 {
				first.subscribe(fmt.Sprintf("wh/v1/btn-%d/event", i), 1, 1)
				second.subscribe(fmt.Sprintf("$share/g%d/wh/v1/+/event", i), 1, 1)
			}
			for _, filter := range []string{"wh/v1/+/status", "$share/more/wh/v1/+/event"} {
				if code := second.subscribe(filter, 1, 1); code != want {
					t.Errorf("%s: SUBACK %#x, want %#x", filter, code, want)
				}
			}
			if code := first.subscribe("wh/v1/btn-3/event", 0, 1); code != 0 {
				t.Errorf("one that it has: SUBACK %#x", code)
			}
			if code := h.join(hello{user: "btn-1", v5: v5}).subscribe("wh/v1/btn-1/command", 1, 1); code != 1 {
				t.Errorf("another account: SUBACK %#x", code)
			}
			if !strings.Contains(h.log.String(), "account=eye") {
				t.Errorf("the log says: %s", h.log.String())
			}
			first.unsubscribe("wh/v1/btn-3/event")
			if code := second.subscribe("wh/v1/+/status", 1, 1); code != 1 {
				t.Errorf("after making room: SUBACK %#x", code)
			}
		})
	}
}

func (w *wire) unsubscribe(filter string) {
	w.t.Helper()
	b := []byte{0, 9}
	if w.v5 {
		b = append(b, 0)
	}
	w.write(packet(typeUnsub<<4|2, lenText(b, filter)))
	w.expect(11)
}

// Nothing is kept of an account that has nothing here any more.
func TestAccountsAreForgotten(t *testing.T) {
	inBubble(t, nil, func(x *bubble) {
		w := x.join(hello{user: "btn-1"})
		if x.sweep(time.Now()); len(x.accounts.by) != 1 {
			t.Fatal("forgotten while connected")
		}
		_ = w.nc.Close()
		synctest.Wait()
		pass(burstSeconds * time.Second)
		if x.sweep(time.Now()); len(x.accounts.by) != 0 {
			t.Errorf("%d accounts", len(x.accounts.by))
		}
	})
}
