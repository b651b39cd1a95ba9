package broker

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"watchhouse/journal"
)

// script is a socket that says what is in it and takes what it is told.
type script struct {
	mu     sync.Mutex
	in     *bytes.Reader
	closed bool
}

func (s *script) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, net.ErrClosed
	}
	return s.in.Read(p)
}

func (s *script) Write(p []byte) (int, error) { return len(p), nil }

func (s *script) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (*script) SetReadDeadline(time.Time) error  { return nil }
func (*script) SetWriteDeadline(time.Time) error { return nil }
func (*script) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*script) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// nowhere is a lane that commits at once and keeps nothing.
type nowhere struct{}

func (nowhere) Submit(_ journal.Message, done func(journal.Receipt, error)) error {
	done(journal.Receipt{}, nil)
	return nil
}

func (nowhere) Read(context.Context, journal.Position, int) ([]journal.Entry, journal.Position, error) {
	return nil, journal.Position{}, nil
}
func (nowhere) SetCursor(context.Context, string, journal.Position) error { return nil }
func (nowhere) AddFrom(string, int64, []byte)                             {}
func (nowhere) Get(context.Context, string) ([]byte, error)               { return nil, journal.ErrNotFound }
func (nowhere) Put(context.Context, string, []byte) error                 { return nil }

// FuzzConnection feeds a connection whatever may come: packets of all kinds, whole and broken, before and after sign-in. No input may
// panic: a panic would be contained, and this is how it is found.
func FuzzConnection(f *testing.F) {
	for _, seed := range hostilePackets() {
		f.Add(seed, false, false)
		f.Add(seed, true, true)
		f.Add(seed, true, false)
	}
	f.Fuzz(func(t *testing.T, packets []byte, signedIn, v5 bool) {
		if n, log := panicsOf(t, packets, signedIn, v5); n > 0 {
			t.Errorf("%d panics: %s", n, log)
		}
	})
}

// panicsOf has a broker without journal and listener serve one connection that says these packets, and counts what it contained.
func panicsOf(t *testing.T, packets []byte, signedIn, v5 bool) (n uint64, log string) {
	t.Helper()
	out := &lockedBuffer{}
	s := stores{event: nowhere{}, telemetry: nowhere{}, state: nowhere{}, rejects: nowhere{}, shelf: nowhere{}}
	b, err := newBroker(testConfig(), s, newPeople(), slog.New(slog.NewTextHandler(out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if signedIn {
		packets = append(hello{user: "bridge", v5: v5}.packet(), packets...)
	}
	b.adopt(&script{in: bytes.NewReader(packets)}, nil)
	b.readers.Wait()
	b.senders.Wait()
	return b.count.panics.Load(), out.String()
}

// hostilePackets are one of each kind, and what has been trouble in this library or in others.
func hostilePackets() [][]byte {
	text := func(parts ...string) (b []byte) {
		for _, p := range parts {
			b = lenText(b, p)
		}
		return b
	}
	list := [][]byte{
		hello{user: "btn-1"}.packet(),
		hello{user: "btn-1", v5: true, will: offline("wh/v1/btn-1/status"), willProps: []byte{24, 0, 0, 0, 1, 1, 1, 38, 0, 1, 'a', 0, 1, 'b'}}.packet(),
		hello{user: "btn-1", level: 0x84}.packet(),
		hello{user: "btn-1", v5: true, props: []byte{17, 0, 0, 0, 9, 33, 0, 2, 39, 0, 0, 1, 0}}.packet(),
		packet(typeConnect<<4, append(text("MQTT"), 5)),
		packet(typeConnect<<4, append(text("MQTT"), 5, 0xFF, 0, 1, 0xFF, 0xFF, 0xFF, 0x7F)),
		packet(typePublish<<4|2, append(text("zigbee2mqtt/x"), 0, 1, 3, 35, 0, 1, 'x')),
		packet(typePublish<<4, text("zigbee2mqtt/x")),
		packet(typePublish<<4|6, []byte{0xFF, 0xFF}),
		{typePuback << 4, 2, 0, 1}, {typePubrec << 4, 2, 0, 1}, {typePubrel<<4 | 2, 2, 0, 1}, {typePubcomp << 4, 3, 0, 1, 0x92},
		packet(typeSubscribe<<4|2, append(text("zigbee2mqtt/#"), 1)),
		packet(typeSubscribe<<4|2, lenText([]byte{0, 1, 0}, "a/b")),
		packet(typeSubscribe<<4|2, append(lenText([]byte{0, 1, 2, 11, 7}, "$share/g/zigbee2mqtt/+"), 0x2E)),
		packet(typeSubscribe<<4|2, append(lenText([]byte{0, 1, 0}, "$share"), 1)),
		packet(typeSubscribe<<4|2, append(lenText([]byte{0, 1, 0}, "$SHARE/g"), 1)),
		packet(typeSubscribe<<4|2, append(lenText([]byte{0, 1}, ""), 1)),
		packet(typeSubscribe<<4|2, []byte{0, 1, 0xFF, 0xFF, 0xFF, 0x7F}),
		packet(typeUnsub<<4|2, lenText([]byte{0, 1}, "zigbee2mqtt/#")),
		packet(typeUnsub<<4|2, lenText([]byte{0, 1, 0}, "$share/g/")),
		packet(typeUnsub<<4|2, []byte{0, 1}),
		{typePingreq << 4, 0}, {typePingreq << 4, 1, 0},
		{typeDisconnect << 4, 0}, {typeDisconnect << 4, 1, 4}, packet(typeDisconnect<<4, []byte{0, 5, 17, 0, 0, 0, 9}), packet(typeDisconnect<<4, []byte{0, 9, 17}),
		packet(typeAuth<<4, []byte{0x18, 4, 21, 0, 1, 'x'}), {typeAuth << 4, 0},
		{0, 0}, {2 << 4, 2, 0, 0}, {9 << 4, 3, 0, 1, 0}, {11 << 4, 2, 0, 1}, {typePingresp << 4, 0},
		{typePublish << 4, 0xFF, 0xFF, 0xFF, 0xFF, 1},
	}
	return append(list, bytes.Join(list, nil))
}
