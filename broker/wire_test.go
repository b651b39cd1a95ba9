package broker

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// wire is an MQTT client that says exactly what a test wants it to.
type wire struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader
	v5 bool
}

func (h *house) dial() *wire { h.t.Helper(); return dial(h.t, h.Addr()) }

func dial(t testing.TB, addr string) *wire {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return over(t, nc)
}

// over speaks MQTT over a connection.
func over(t testing.TB, nc net.Conn) *wire {
	t.Cleanup(func() { _ = nc.Close() })
	return &wire{t: t, nc: nc, r: bufio.NewReader(nc)}
}

// hello describes a CONNECT; the zero values of everything but user are usual ones.
type hello struct {
	user, id, secret string
	v5, persist      bool
	keepalive        uint16
	props            []byte // v5
	will             *will
	willProps        []byte // v5
	noID             bool
	noSecret, noUser bool // CONNECT has no such field
	protocol         string
	level            byte
}

func (o hello) packet() []byte {
	if o.id == "" && !o.noID {
		o.id = o.user
	}
	if o.secret == "" {
		o.secret = "secret-" + o.user
	}
	b := lenText(nil, cmp.Or(o.protocol, "MQTT"))
	version, flags := cmp.Or(o.level, 4), byte(0xC0)
	if o.v5 {
		version = 5
	}
	if !o.persist {
		flags |= 2
	}
	if o.noUser {
		flags &^= 0x80
	}
	if o.noSecret {
		flags &^= 0x40
	}
	if w := o.will; w != nil {
		flags |= 4 | w.qos<<3
		if w.retain {
			flags |= 32
		}
	}
	b = binary.BigEndian.AppendUint16(append(b, version, flags), o.keepalive)
	if o.v5 {
		b = append(appendVarint(b, len(o.props)), o.props...)
	}
	b = lenText(b, o.id)
	if w := o.will; w != nil {
		if o.v5 {
			b = append(appendVarint(b, len(o.willProps)), o.willProps...)
		}
		b = lenText(lenText(b, w.topic), string(w.payload))
	}
	if !o.noUser {
		b = lenText(b, o.user)
	}
	if !o.noSecret {
		b = lenText(b, o.secret)
	}
	return packet(typeConnect<<4, b)
}

func lenText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func packet(head byte, body []byte) []byte {
	return append(appendVarint([]byte{head}, len(body)), body...)
}

// pub describes a PUBLISH.
type pub struct {
	topic, payload string
	qos            byte
	id             uint16
	retain, dup    bool
	props          []byte
}

func (w *wire) publishPacket(p pub) []byte {
	head := byte(typePublish<<4) | p.qos<<1
	if p.retain {
		head |= 1
	}
	if p.dup {
		head |= 8
	}
	b := lenText(nil, p.topic)
	if p.qos > 0 {
		b = binary.BigEndian.AppendUint16(b, p.id)
	}
	if w.v5 {
		b = append(appendVarint(b, len(p.props)), p.props...)
	}
	return packet(head, append(b, p.payload...))
}

func (w *wire) write(p []byte) {
	w.t.Helper()
	_ = w.nc.SetWriteDeadline(time.Now().Add(patient10))
	if _, err := w.nc.Write(p); err != nil {
		w.t.Fatalf("write: %v", err)
	}
}

func (w *wire) publish(p pub) { w.t.Helper(); w.write(w.publishPacket(p)) }

func (w *wire) connect(o hello) (code byte, body []byte) {
	w.t.Helper()
	w.v5 = o.v5
	w.write(o.packet())
	head, body := w.next()
	if head>>4 != 2 {
		w.t.Fatalf("got packet %#x instead of CONNACK", head)
	}
	return body[1], body
}

// join dials and signs in.
func (h *house) join(o hello) *wire {
	h.t.Helper()
	w := h.dial()
	if code, _ := w.connect(o); code != 0 {
		h.t.Fatalf("CONNACK %#x", code)
	}
	return w
}

func (w *wire) subscribe(filter string, qos byte, id uint16) byte {
	w.t.Helper()
	b := binary.BigEndian.AppendUint16(nil, id)
	if w.v5 {
		b = append(b, 0)
	}
	w.write(packet(typeSubscribe<<4|2, append(lenText(b, filter), qos)))
	_, body := w.expect(9)
	return body[len(body)-1]
}

func (w *wire) read(limit time.Duration) (head byte, body []byte, err error) {
	_ = w.nc.SetReadDeadline(time.Now().Add(limit))
	if head, err = w.r.ReadByte(); err != nil {
		return 0, nil, err
	}
	length, err := binary.ReadUvarint(w.r)
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, length)
	_, err = io.ReadFull(w.r, body)
	return head, body, err
}

func (w *wire) next() (head byte, body []byte) {
	w.t.Helper()
	head, body, err := w.read(patient10)
	if err != nil {
		w.t.Fatalf("read: %v", err)
	}
	return head, body
}

// expect reads the next packet and fails unless it is of a type.
func (w *wire) expect(kind byte) (head byte, body []byte) {
	w.t.Helper()
	head, body = w.next()
	if head>>4 != kind {
		w.t.Fatalf("got packet %#x % x instead of type %d", head, body, kind)
	}
	return head, body
}

func (w *wire) expectAck(kind byte, id uint16, code byte) {
	w.t.Helper()
	_, body := w.expect(kind)
	got := byte(0)
	if len(body) > 2 {
		got = body[2]
	}
	if binary.BigEndian.Uint16(body) != id || got != code {
		w.t.Fatalf("ack % x, want id %d code %#x", body, id, code)
	}
}

// expectClosed reads to the end of the connection and returns the packets before it.
func (w *wire) expectClosed() (heads []byte, last []byte) {
	w.t.Helper()
	for {
		head, body, err := w.read(patient10)
		switch {
		case err == nil:
			heads, last = append(heads, head), body
			continue
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.t.Fatal("the connection is open")
		}
		return heads, last
	}
}

// expectNothing looks whether something comes within a short time.
func (w *wire) expectNothing(limit time.Duration) {
	w.t.Helper()
	if head, body, err := w.read(limit); !errors.Is(err, os.ErrDeadlineExceeded) {
		w.t.Fatalf("got %#x % x, %v instead of silence", head, body, err)
	}
}

// ping proves that the broker has handled everything sent before.
func (w *wire) ping() {
	w.t.Helper()
	w.write([]byte{0xC0, 0})
	w.expect(13)
}

// delivered is a PUBLISH as a subscriber got it.
type delivered struct {
	topic, payload string
	qos            byte
	retain         bool
	id             uint16
	props          []byte
}

func (w *wire) delivery() delivered {
	w.t.Helper()
	head, body := w.expect(typePublish)
	d := delivered{qos: head >> 1 & 3, retain: head&1 != 0}
	in := cursor{rest: body}
	d.topic = string(in.text())
	if d.qos > 0 {
		d.id = in.uint16()
	}
	if w.v5 {
		d.props = in.take(in.varint())
	}
	d.payload = string(in.rest)
	return d
}
