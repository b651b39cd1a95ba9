package broker

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"watchhouse/journal"
)

// hasty starts a house that soon takes a disk for standing still.
func hasty(t *testing.T) *house {
	h := start(t)
	h.patience = 250 * time.Millisecond
	return h
}

// flood publishes n telemetry messages with ids from 1.
func flood(w *wire, n int) {
	w.t.Helper()
	var all []byte
	for id := range n {
		all = append(all, w.publishPacket(pub{topic: "wh/v1/btn-1/telemetry", payload: "{}", qos: 1, id: uint16(id + 1)})...)
	}
	w.write(all)
}

// While the disk stands still what a v5 client sends over the cap is refused; its events flow all the time; nothing is doubled.
func TestTelemetryOverTheCapV5(t *testing.T) {
	h := hasty(t)
	w := h.join(hello{user: "btn-1", v5: true})
	h.telemetry.hold()
	flood(w, telemetryWindow)
	for range 10 { // with QoS its Receive Maximum forbids more
		w.publish(pub{topic: "wh/v1/btn-1/telemetry"})
	}
	eventually(t, "the cap is reached", func() bool { return h.Stats().Shed == 10 })
	began := time.Now()
	w.publish(pub{topic: "wh/v1/btn-1/event"})
	eventually(t, "the event is taken", func() bool { return len(h.event.taken(journal.Publish)) == 1 })
	if took := time.Since(began); took > time.Second {
		t.Errorf("an event took %v behind standing telemetry", took)
	}
	h.telemetry.open()
	for id := range uint16(telemetryWindow) {
		w.expectAck(typePuback, id+1, 0)
	}
	if n := len(h.stored(journal.TelemetryLane)); n != telemetryWindow {
		t.Errorf("%d stored", n)
	}
}

func TestTelemetryBytesOverTheCap(t *testing.T) {
	h := hasty(t)
	w := h.join(hello{user: "btn-1", v5: true})
	h.telemetry.hold()
	for id := range uint16(12) {
		w.publish(pub{topic: "wh/v1/btn-1/telemetry", payload: strings.Repeat("x", 100_000), qos: 1, id: id + 1})
	}
	eventually(t, "the cap is reached", func() bool { return h.Stats().Shed == 2 })
	h.telemetry.open()
}

// A v3 client has no way to be told: what is over the cap is dropped without ack, its telemetry is refused from then on, its
// events flow, and it is closed later, not at once.
func TestTelemetryOverTheCapV3(t *testing.T) {
	h := hasty(t)
	h.shedMin, h.shedSpread = 300*time.Millisecond, 300*time.Millisecond
	w := h.join(hello{user: "btn-1"})
	h.telemetry.hold()
	flood(w, telemetryWindow+5)
	eventually(t, "the cap is reached", func() bool { return h.Stats().Shed == 5 })
	began := time.Now()
	h.telemetry.open()
	for id := range uint16(telemetryWindow) {
		w.expectAck(typePuback, id+1, 0)
	}
	w.publish(pub{topic: "wh/v1/btn-1/telemetry", qos: 1, id: 500})
	w.publish(pub{topic: "wh/v1/btn-1/event", qos: 1, id: 501})
	w.expectAck(typePuback, 501, 0)
	w.expectClosed()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("closed after %v", took)
	}
	h.expectReasons("btn-1", reasonShed)
	if n := len(h.stored(journal.TelemetryLane)); n != telemetryWindow {
		t.Errorf("%d stored", n)
	}
}

// Bulk out of order: v5 is told, v3 closed with jitter, events flow, sessions begin.
func TestBulkOutOfOrder(t *testing.T) {
	for name, at := range map[string][2]error{"submit": {journal.ErrLaneFull, nil}, "commit": {nil, errDisk}} {
		for qos := byte(1); qos <= 2; qos++ {
			t.Run(name, func(t *testing.T) {
				h := start(t)
				h.shedMin, h.shedSpread = 200*time.Millisecond, 100*time.Millisecond
				h.telemetry.set(at[0], at[1])
				v5, v3 := h.join(hello{user: "btn-1", v5: true}), h.join(hello{user: "btn-2"})
				v5.publish(pub{topic: "wh/v1/btn-1/telemetry", qos: qos, id: 1})
				v5.expectAck(typePuback+qos-1, 1, codeQuota)
				v3.publish(pub{topic: "wh/v1/btn-2/telemetry", qos: qos, id: 1})
				v3.publish(pub{topic: "wh/v1/btn-2/event", qos: 1, id: 2})
				v3.expectAck(typePuback, 2, 0)
				if heads, _ := v3.expectClosed(); len(heads) != 0 {
					t.Errorf("v3 got % x", heads)
				}
				v5.publish(pub{topic: "wh/v1/btn-1/event", qos: 1, id: 2})
				v5.expectAck(typePuback, 2, 0)
				h.telemetry.set(nil, nil)
				v5.publish(pub{topic: "wh/v1/btn-1/telemetry", qos: qos, id: 1})
				v5.expectAck(typePuback+qos-1, 1, 0)
			})
		}
	}
}

func TestQoS0TelemetryIsShedSilently(t *testing.T) {
	h := start(t)
	h.telemetry.set(journal.ErrLaneFull, nil)
	w := h.join(hello{user: "btn-1"})
	w.publish(pub{topic: "wh/v1/btn-1/telemetry"})
	w.ping()
	if n := h.Stats().Shed; n != 1 {
		t.Errorf("shed %d", n)
	}
	h.telemetry.set(nil, nil)
	w.publish(pub{topic: "wh/v1/btn-1/telemetry"})
	eventually(t, "telemetry is taken again", func() bool { return len(h.stored(journal.TelemetryLane)) == 1 })
}

// Many connections share the global cap and none is shed while the disk works.
func TestSaturationShedsNobody(t *testing.T) {
	h := start(t)
	var all []*wire
	for _, id := range []string{"btn-1", "btn-1~a", "btn-1~b", "btn-1~c"} {
		all = append(all, h.join(hello{user: "btn-1", id: id}))
	}
	const n = 2000
	for _, w := range all {
		go flood(w, n)
	}
	for _, w := range all {
		for id := range uint16(n) {
			w.expectAck(typePuback, id+1, 0)
		}
	}
	if s := h.Stats(); s.Shed != 0 || s.InFlightBytes != 0 || h.count.lanes[telemetryLane].flowing.Load() != 0 {
		t.Errorf("%+v", s)
	}
	if stored := len(h.stored(journal.TelemetryLane)); stored != len(all)*n {
		t.Errorf("%d stored, %d acknowledged", stored, len(all)*n)
	}
}

// On a life lane a flood is slowed down, not dropped.
func TestEventFloodIsSlowedNotDropped(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1"})
	h.event.hold()
	const n = lifeWindow + 100
	go func() {
		for id := range uint16(n) {
			w.publish(pub{topic: "wh/v1/btn-1/event", qos: 1, id: id + 1})
		}
	}()
	eventually(t, "the window is full", func() bool { return h.event.waiting() == lifeWindow })
	h.event.open()
	for id := range uint16(n) {
		w.expectAck(typePuback, id+1, 0)
	}
}

// A client that never reads its acks delays nobody and is cut off in the end: by the write deadline, or, when the kernel still
// takes the acks but lets nothing through from a peer whose window is shut, by its keepalive.
func TestClientThatNeverReadsDelaysNobody(t *testing.T) {
	h := open(t, t.TempDir(), func(c *Config) { c.WriteTimeout = time.Second })
	deaf := h.dial()
	deafClientDelaysNobody(h, deaf, deaf.nc)
}

func TestClientThatNeverReadsOverTLSDelaysNobody(t *testing.T) {
	h := startTLS(t, func(c *Config) { c.WriteTimeout = time.Second })
	deaf := h.dialTLS("")
	deafClientDelaysNobody(h, deaf, deaf.nc.(*tls.Conn).NetConn())
}

func deafClientDelaysNobody(h *house, deaf *wire, below net.Conn) {
	t := h.t
	if code, _ := deaf.connect(hello{user: "btn-1", keepalive: 1}); code != 0 {
		t.Fatalf("CONNACK %#x", code)
	}
	sock := h.table.client("btn-1").sock
	if over, ok := sock.(tlsSocket); ok {
		sock = over.tcp
	}
	if err := errors.Join(below.(*net.TCPConn).SetReadBuffer(4<<10), sock.(*entrant).Conn.(*net.TCPConn).SetWriteBuffer(4<<10), deaf.nc.SetDeadline(time.Time{})); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		p := deaf.publishPacket(pub{topic: "wh/v1/btn-1/event", qos: 1, id: 1})
		for {
			if _, err := deaf.nc.Write(p); err != nil {
				return
			}
		}
	}()
	w := h.join(hello{user: "btn-2"})
	for limit := time.Now().Add(patient10); h.Connected("btn-1"); {
		began := time.Now()
		w.publish(pub{topic: "wh/v1/btn-2/event", qos: 1, id: 1})
		w.expectAck(typePuback, 1, 0)
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("an ack took %v beside a deaf client", took)
		}
		if began.After(limit) {
			t.Fatal("the deaf client is still there")
		}
	}
	_ = deaf.nc.Close()
	<-gone
}
