package broker

import (
	"encoding/binary"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"watchhouse/journal"
)

// The library indexes past the end of a v5 SUBSCRIBE whose last filter has no options byte.
func TestTruncatedSubscribeCostsOneConnection(t *testing.T) {
	h := start(t)
	bad, good := h.join(hello{user: "btn-1", v5: true}), h.join(hello{user: "btn-2", v5: true})
	bad.write(packet(typeSubscribe<<4|2, lenText([]byte{0, 1, 0}, "a/b")))
	if _, last := bad.expectClosed(); len(last) == 0 || last[0] != codeMalformed {
		t.Errorf("DISCONNECT % x, want reason %#x", last, codeMalformed)
	}
	good.publish(pub{topic: "wh/v1/btn-2/event", qos: 1, id: 1})
	good.expectAck(typePuback, 1, 0)
	if n := h.Stats().Panics; n != 0 {
		t.Errorf("%d panics", n)
	}
	h.join(hello{user: "btn-1", v5: true}).ping()
}

// Four length bytes announce 256 MiB; the library would allocate them before it knows who is there.
func TestHugeRemainingLengthAllocatesNothing(t *testing.T) {
	h := start(t)
	known := h.join(hello{user: "btn-1"})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, head := range []byte{typeConnect << 4, typePublish << 4, typeSubscribe<<4 | 2} {
		for range 4 {
			w := h.dial()
			w.write([]byte{head, 0xFF, 0xFF, 0xFF, 0x7F})
			w.expectClosed()
		}
	}
	known.write([]byte{typePublish << 4, 0xFF, 0xFF, 0xFF, 0x7F})
	known.expectClosed()
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("%d bytes allocated", grown)
	}
}

func TestFiveLengthBytesAreMalformed(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", v5: true})
	w.write([]byte{typePublish << 4, 0xFF, 0xFF, 0xFF, 0xFF, 0x01})
	if _, last := w.expectClosed(); len(last) == 0 || last[0] != codeMalformed {
		t.Errorf("DISCONNECT % x, want reason %#x", last, codeMalformed)
	}
}

func TestPacketOverTheCapIsRefused(t *testing.T) {
	h := open(t, t.TempDir(), func(c *Config) { c.MaxPacketBytes = 4096 })
	for _, size := range []int{4000, 5000} {
		w := h.join(hello{user: "btn-1", v5: true})
		w.publish(pub{topic: "wh/v1/btn-1/event", payload: strings.Repeat("x", size), qos: 1, id: 1})
		if size == 4000 {
			w.expectAck(typePuback, 1, 0)
		} else if _, last := w.expectClosed(); len(last) == 0 || last[0] != codeTooLarge {
			t.Errorf("DISCONNECT % x, want reason %#x", last, codeTooLarge)
		}
	}
	_, connack := h.dial().connect(hello{user: "btn-2", v5: true})
	if !strings.Contains(string(connack), string([]byte{39, 0, 0, 0x10, 0})) {
		t.Errorf("CONNACK % x does not tell the cap", connack)
	}
}

func TestIdleBeforeConnectIsClosed(t *testing.T) {
	h := open(t, t.TempDir(), func(c *Config) { c.ConnectTimeout = 100 * time.Millisecond })
	began := time.Now()
	h.dial().expectClosed()
	if took := time.Since(began); took < 90*time.Millisecond {
		t.Errorf("closed after %v already", took)
	}
}

// One byte now and then must not keep a stranger's connection alive.
func TestTrickledConnectIsClosed(t *testing.T) {
	h := open(t, t.TempDir(), func(c *Config) { c.ConnectTimeout = 150 * time.Millisecond })
	w := h.dial()
	for _, b := range (hello{user: "btn-1"}).packet()[:12] {
		if _, err := w.nc.Write([]byte{b}); err != nil {
			break
		}
		time.Sleep(20 * time.Millisecond) // the trickle
	}
	w.expectClosed()
}

func TestFirstPacketMustBeConnect(t *testing.T) {
	h := start(t)
	w := h.dial()
	w.publish(pub{topic: "wh/v1/btn-1/event", qos: 1, id: 1})
	w.expectClosed()
	if n := len(h.event.taken(journal.Publish)); n != 0 {
		t.Errorf("a stranger's message was taken")
	}
	w = h.join(hello{user: "btn-1", v5: true})
	w.write(hello{user: "btn-1", v5: true}.packet())
	w.expectClosed()
}

// The library computes the deadline in 16 bits: 43700 s became 14 s, 43691 s none at all.
func TestKeepalive43700DoesNotWrap(t *testing.T) {
	for _, seconds := range []uint16{43690, 43691, 43692, 43700, 65535} {
		h := open(t, t.TempDir(), func(c *Config) { c.MaxKeepalive = maxKeepalive })
		h.join(hello{user: "btn-1", keepalive: seconds})
		c := h.table.client("btn-1")
		want := time.Duration(seconds) * time.Second
		if c.keepalive != want {
			t.Errorf("keepalive %d s: %v kept", seconds, c.keepalive)
		}
		h.shut()
	}
}

func TestKeepaliveIsClamped(t *testing.T) {
	h := open(t, t.TempDir(), func(c *Config) { c.MaxKeepalive = time.Minute })
	for _, asked := range []uint16{0, 61, 43700} {
		for _, v5 := range []bool{false, true} {
			w := h.dial()
			_, connack := w.connect(hello{user: "btn-1", v5: v5, keepalive: asked})
			if got := h.table.client("btn-1").keepalive; got != time.Minute {
				t.Errorf("keepalive %d: %v", asked, got)
			}
			if told := strings.Contains(string(connack), string([]byte{19, 0, 60})); told != v5 {
				t.Errorf("v5 %v: CONNACK % x", v5, connack)
			}
		}
	}
}

func TestSilentClientIsDropped(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", keepalive: 1})
	began := time.Now()
	w.ping()
	w.expectClosed()
	if took := time.Since(began); took < 1400*time.Millisecond {
		t.Errorf("dropped after %v, keepalive and a half is 1.5 s", took)
	}
	h.expectReasons("btn-1", reasonKeepalive)
}

// expectReasons waits for the disconnect records of a device.
func (h *house) expectReasons(device string, want ...string) {
	h.t.Helper()
	var got []string
	eventually(h.t, "disconnect records "+strings.Join(want, " "), func() bool {
		got = nil
		for _, m := range h.state.taken(journal.Disconnect) {
			if m.Device == device {
				reason := strings.TrimSuffix(strings.TrimPrefix(string(m.Payload), `{"reason":"`), `"}`)
				got = append(got, reason)
			}
		}
		return len(got) >= len(want)
	})
	if strings.Join(got, " ") != strings.Join(want, " ") {
		h.t.Errorf("disconnect reasons %v, want %v", got, want)
	}
}

// halfOpen is a signed-in client that has stopped reading, its socket buffers full of acks to come.
func halfOpen(t *testing.T, h *house, o hello) *wire {
	t.Helper()
	w := h.join(o)
	if err := w.nc.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	clog := h.table.client(o.user)
	for clogged := false; !clogged; {
		clog.mu.Lock()
		clogged = len(clog.out) > maxOutBytes/2
		clog.mu.Unlock()
		if !clogged && !clog.send(make([]byte, 8<<10)) {
			t.Fatal("the connection closed")
		}
	}
	return w
}

// The library would write DISCONNECT to the old socket first and block there for as long as it is full.
func TestTakeoverOfHalfOpenClient(t *testing.T) {
	h := start(t)
	for _, v5 := range []bool{false, true} {
		halfOpen(t, h, hello{user: "btn-1", v5: v5})
		began := time.Now()
		w := h.join(hello{user: "btn-1", v5: v5})
		if took := time.Since(began); took > time.Second {
			t.Errorf("v5 %v: takeover took %v", v5, took)
		}
		w.publish(pub{topic: "wh/v1/btn-1/event", qos: 1, id: 9})
		w.expectAck(typePuback, 9, 0)
		h.Disconnect("btn-1")
		w.expectClosed()
	}
	h.expectReasons("btn-1", reasonTakeover, reasonRevoked, reasonTakeover, reasonRevoked)
}

func TestTakeoverTellsTheOldV5Client(t *testing.T) {
	h := start(t)
	old := h.join(hello{user: "btn-1", v5: true})
	oldV3 := h.join(hello{user: "btn-2"})
	h.join(hello{user: "btn-1", v5: true})
	h.join(hello{user: "btn-2"})
	if _, last := old.expectClosed(); len(last) == 0 || last[0] != codeTakenOver {
		t.Errorf("DISCONNECT % x", last)
	}
	if heads, _ := oldV3.expectClosed(); len(heads) != 0 {
		t.Errorf("a v3 client got % x", heads)
	}
}

// The same client id from many sockets at once: one stays, and the order of records is that of sessions.
func TestTakeoverRace(t *testing.T) {
	h := start(t)
	var clients []*wire
	for range 30 {
		w := h.dial()
		w.write(hello{user: "btn-1"}.packet())
		clients = append(clients, w)
	}
	eventually(t, "one session stays", func() bool {
		s := h.Stats()
		return s.Connections == 1 && s.Sessions == 1 && len(h.state.taken(journal.Connect)) == 30
	})
	open := 0
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	for _, m := range h.state.seen {
		switch m.Kind {
		case journal.Connect:
			open++
		case journal.Disconnect:
			open--
		}
		if open > 1 {
			t.Fatal("two sessions of one client at the same time")
		}
	}
	_ = clients
}

// The library loses a send quota with each message and stops after four.
func TestReceiveMaximum2GetsEverything(t *testing.T) {
	h := start(t)
	for i := range 12 {
		id := "pt-" + string(rune('a'+i))
		h.people.add(id, "sorting_point")
		w := h.join(hello{user: id})
		w.publish(pub{topic: "wh/v1/" + id + "/status", payload: `{"online":true}`, qos: 1, id: 1, retain: true})
		w.expectAck(typePuback, 1, 0)
	}
	eye := h.join(hello{user: "eye", v5: true, props: []byte{33, 0, 2}})
	eye.subscribe("wh/v1/+/status", 1, 1)
	first, second := eye.delivery(), eye.delivery()
	eye.expectNothing(50 * time.Millisecond)
	for _, d := range []delivered{first, second} {
		eye.write(appendAck(nil, typePuback, d.id, 0))
	}
	live := h.join(hello{user: "btn-1"})
	for i := range 22 {
		if i == 10 {
			for n := range 12 {
				live.publish(pub{topic: "wh/v1/btn-1/status", qos: 1, id: uint16(n + 1)})
			}
		}
		eye.write(appendAck(nil, typePuback, eye.delivery().id, 0))
	}
}

// The library keeps both directions' packet ids in one map: an id from the client deleted the hub's message, SUBSCRIBE got 0x91.
func TestPacketIDsOfBothDirectionsDoNotMeet(t *testing.T) {
	h := start(t)
	gw := h.join(hello{user: "gw-1"})
	if err := h.Publish("wh/v1/gw-1/command", []byte(`{"id":"1"}`)); err != nil {
		t.Fatal(err)
	}
	d := gw.delivery()
	gw.publish(pub{topic: "wh/v1/gw-1/event", qos: 1, id: d.id})
	gw.expectAck(typePuback, d.id, 0)
	if code := gw.subscribe("wh/v1/gw-1/command", 1, d.id); code != 1 {
		t.Errorf("SUBSCRIBE with the id of an open command: %#x", code)
	}
	c := h.table.client("gw-1")
	c.mu.Lock()
	_, waits := c.pub.open[d.id]
	c.mu.Unlock()
	if !waits {
		t.Error("the command's id was released by the client's own message")
	}
	gw.write(appendAck(nil, typePuback, d.id, 0))
	gw.ping()
	if c.mu.Lock(); len(c.pub.open) != 0 {
		t.Error("PUBACK did not release the id")
	}
	c.mu.Unlock()
}

func TestReservedPacketIDZeroIsMalformed(t *testing.T) {
	h := start(t)
	for _, p := range [][]byte{
		appendAck(nil, typePuback, 0, 0), appendAck(nil, typePubrel, 0, 0),
		{typePublish<<4 | 2, 4, 0, 1, 'a', 0},
		{typePublish<<4 | 6, 5, 0, 1, 'a', 0, 1},
		binary.BigEndian.AppendUint16([]byte{typePuback << 4, 1}, 0)[:3],
	} {
		w := h.join(hello{user: "btn-1", v5: true})
		w.write(p)
		if _, last := w.expectClosed(); len(last) == 0 || last[0] != codeMalformed {
			t.Errorf("% x: DISCONNECT % x", p, last)
		}
	}
}
