package broker

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"watchhouse/journal"
)

// keptFor asks for a session that outlives its connection.
func keptFor(user string, seconds uint32) hello {
	return hello{user: user, v5: true, persist: true, props: binary.BigEndian.AppendUint32([]byte{17}, seconds)}
}

// leave ends a connection and waits until its session is written down.
func (h *house) leave(w *wire) {
	h.t.Helper()
	_ = w.nc.Close()
	eventually(h.t, "the connection is gone", func() bool { return h.Stats().Connections == 0 })
}

// A session ends when its Session Expiry says so, not at the next sweep: subscriptions and QoS 2 memory are gone with it.
func TestSessionExpiryIsKeptToTheSecond(t *testing.T) {
	h := start(t)
	w := h.join(keptFor("eye", 2))
	w.subscribe("wh/v1/+/event", 0, 1)
	h.leave(w)
	h.sessions.mu.Lock()
	until := h.sessions.until["eye"]
	h.sessions.mu.Unlock()
	if left := time.Until(until); left <= 0 || left > 2*time.Second {
		t.Fatalf("the session is kept for %v, want 2 s", left)
	}
	if h.sessions.over("eye", until.Add(-time.Millisecond)) || !h.sessions.over("eye", until) {
		t.Error("over too early or too late")
	}
	w = h.dial()
	if _, connack := w.connect(keptFor("eye", 2)); connack[0] != 1 {
		t.Error("no session present in time")
	}
	h.leave(w)
	h.age("eye", 3*time.Second)
	w = h.dial()
	if _, connack := w.connect(keptFor("eye", 2)); connack[0] != 0 {
		t.Error("session present after it has expired")
	}
	h.publishOne("btn-1", pub{topic: "wh/v1/btn-1/event", payload: "x"})
	w.expectNothing(30 * time.Millisecond)
}

// age has the session of an absent client be older than it is.
func (h *house) age(client string, d time.Duration) {
	h.sessions.mu.Lock()
	defer h.sessions.mu.Unlock()
	h.sessions.until[client] = h.sessions.until[client].Add(-d)
}

// The expiry of DISCONNECT counts, none is longer than a day, and that is told.
func TestSessionExpiryIsChangedAndCapped(t *testing.T) {
	h := start(t)
	w := h.join(keptFor("eye", 3600))
	w.write(packet(typeDisconnect<<4, append([]byte{0, 5, 17}, 0, 0, 0, 1)))
	w.expectClosed()
	eventually(t, "the connection is gone", func() bool { return h.Stats().Connections == 0 })
	h.age("eye", 2*time.Second)
	if !h.sessions.over("eye", time.Now()) {
		t.Error("the expiry of DISCONNECT did not count")
	}
	w = h.dial()
	_, connack := w.connect(keptFor("eye", math.MaxUint32))
	in := cursor{rest: connack[2:]}
	told := uint32(0)
	for props := in.take(in.varint()); len(props) > 4; props = props[1:] {
		if props[0] == 17 {
			told = binary.BigEndian.Uint32(props[1:])
			break
		}
	}
	if want := uint32(sessionLimit / time.Second); told != want {
		t.Errorf("CONNACK tells %d s, want %d", told, want)
	}
}

// A button with a session that it never used is not told that something of it was kept.
func TestSessionPresentMeansThatSomethingIsKept(t *testing.T) {
	h := start(t)
	present := func(o hello) bool {
		t.Helper()
		w := h.dial()
		code, connack := w.connect(o)
		if code != 0 {
			t.Fatalf("CONNACK %#x", code)
		}
		defer h.leave(w)
		if o.user == "btn-2" {
			w.publish(pub{topic: "wh/v1/btn-2/event", qos: 2, id: 7})
			w.expectAck(typePubrec, 7, 0)
		}
		return connack[0] == 1
	}
	for _, v5 := range []bool{false, true} {
		kept := func(user string) hello {
			if v5 {
				return keptFor(user, 60)
			}
			return hello{user: user, persist: true}
		}
		if present(kept("btn-1")) || present(kept("btn-1")) {
			t.Errorf("v5 %v: present without anything kept", v5)
		}
		if present(kept("btn-2")) || !present(kept("btn-2")) {
			t.Errorf("v5 %v: an open QoS 2 exchange is something kept", v5)
		}
		if present(hello{user: "btn-2", v5: v5}) {
			t.Errorf("v5 %v: present after a clean start", v5)
		}
	}
}

// Who has more unanswered messages than the Receive Maximum is told 0x93, MQTT 5 only; who keeps to it never is.
func TestReceiveMaximumIsEnforced(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		h := start(t)
		h.event.hold()
		w := h.join(hello{user: "btn-1", v5: true})
		old := h.join(hello{user: "btn-2"})
		for id := range uint16(telemetryWindow) {
			w.publish(pub{topic: "wh/v1/btn-1/event", qos: qos, id: id + 1})
			old.publish(pub{topic: "wh/v1/btn-2/event", qos: qos, id: id + 1})
		}
		w.publish(pub{topic: "wh/v1/btn-1/event", qos: 0}) // does not count
		w.ping()
		old.publish(pub{topic: "wh/v1/btn-2/event", qos: qos, id: telemetryWindow + 1})
		old.ping()
		w.publish(pub{topic: "wh/v1/btn-1/event", qos: qos, id: telemetryWindow + 1})
		if _, last := w.expectClosed(); len(last) == 0 || last[0] != codeReceiveMaximum {
			t.Errorf("QoS %d: DISCONNECT % x", qos, last)
		}
		h.shut()
		if n := len(h.event.taken(journal.Publish)); n != 2*telemetryWindow+2 {
			t.Errorf("QoS %d: %d messages were taken, want all but the last of the v5 client", qos, n)
		}
	}
}

func TestReceiveMaximumCountsOnlyWhatIsOpen(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", v5: true})
	for n := range 3 * telemetryWindow {
		id := uint16(n%telemetryWindow + 1)
		topic := "wh/v1/btn-1/event"
		if n%5 == 0 && n < 50 {
			topic = "wh/v1/btn-1/nowhere" // refused, and answered
		}
		w.publish(pub{topic: topic, qos: 1, id: id})
		w.expect(typePuback)
		w.publish(pub{topic: "wh/v1/btn-1/event", qos: 2, id: id})
		w.publish(pub{topic: "wh/v1/btn-1/event", qos: 2, id: id, dup: true})
		w.expectAck(typePubrec, id, 0)
		w.write(appendAck(nil, typePubrel, id, 0))
		for head := byte(0); head>>4 != typePubcomp; { // the repeated PUBLISH may have been answered, too
			head, _ = w.next()
		}
	}
	c := h.table.client("btn-1")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unanswered != 0 {
		t.Errorf("%d are counted as open", c.unanswered)
	}
}

// A will is a message: subscribers get its properties, all but the delay.
func TestAWillKeepsItsProperties(t *testing.T) {
	h := start(t)
	eye := h.join(hello{user: "eye", v5: true})
	eye.subscribe("wh/v1/+/status", 1, 1)
	props := []byte{24, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 60}
	props = lenText(append(props, 3), "application/json")
	props = lenText(append(props, 8), "wh/v1/answers")
	props = lenText(append(props, 9), "\x00\x01")
	props = lenText(lenText(append(props, 38), "why"), "battery")
	w := h.join(hello{user: "btn-1", v5: true, will: offline("wh/v1/btn-1/status"), willProps: props})
	_ = w.nc.Close()
	if d := eye.delivery(); string(d.props) != string(props[5:]) {
		t.Errorf("properties % x, want % x", d.props, props[5:])
	}
}
