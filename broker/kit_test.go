package broker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(runChild(role))
	}
	goleak.VerifyTestMain(m)
}

const patient10 = 10 * time.Second // what a busy machine may need for something that is due at once

// eventually polls, because what it waits for has no other sign.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patient10); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in %v: %s", patient10, what)
		}
	}
}

// people is a directory in memory: everybody's secret is "secret-" + id.
type people struct {
	mu       sync.Mutex
	known    map[string]registry.Principal
	children map[string][]string
	revision atomic.Uint64
	changed  chan struct{}
}

func newPeople() *people {
	p := &people{known: map[string]registry.Principal{}, children: map[string][]string{}, changed: make(chan struct{})}
	for _, id := range []string{"btn-1", "btn-2", "btn-3"} {
		p.known[id] = registry.Principal{ID: id, Kind: telemetry.EmergencyButton}
	}
	p.known["gw-1"] = registry.Principal{ID: "gw-1", Kind: telemetry.Gateway}
	p.known["eye"] = registry.Principal{ID: "eye", Grants: []registry.Grant{{Filter: "wh/v1/#", Subscribe: true}}}
	p.known["bridge"] = registry.Principal{ID: "bridge", Grants: []registry.Grant{{Filter: "zigbee2mqtt/#", Publish: true, Subscribe: true}}}
	return p
}

func (p *people) add(id string, kind telemetry.Kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[id] = registry.Principal{ID: id, Kind: kind}
}

func (p *people) remove(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, id)
	p.revision.Add(1)
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *people) Authenticate(username, clientID string, secret []byte) (registry.Principal, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[username]
	if !ok || string(secret) != "secret-"+username || clientID != username && !strings.HasPrefix(clientID, username+"~") {
		return registry.Principal{}, registry.ErrUnauthorized
	}
	return who, nil
}

func (p *people) MayPublish(who registry.Principal, topic string) bool {
	return strings.HasPrefix(topic, "wh/v1/"+who.ID+"/") && who.Kind != "" || granted(who, topic, true)
}

func (p *people) MaySubscribe(who registry.Principal, filter string) bool {
	own := "wh/v1/" + who.ID + "/"
	return who.Kind != "" && strings.HasPrefix(filter, own) && strings.HasSuffix(filter, "/command") || granted(who, filter, false)
}

func granted(who registry.Principal, topic string, publish bool) bool {
	return slices.ContainsFunc(who.Grants, func(g registry.Grant) bool {
		return (publish && g.Publish || !publish && g.Subscribe) && (g.Filter == topic || matches(g.Filter, topic))
	})
}

func (p *people) Revision() uint64 { return p.revision.Load() }

func (p *people) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

func (p *people) Known(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.known[id]
	return ok
}

// tap stands before a lane of the real journal. It can hold commits back, fail them, or refuse messages.
type tap struct {
	next submitter

	mu     sync.Mutex
	closed bool
	held   []func()
	refuse error
	fail   error
	seen   []journal.Message
}

func (p *tap) Submit(m journal.Message, done func(journal.Receipt, error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return p.refuse
	}
	kept := m
	kept.Payload = bytes.Clone(m.Payload)
	p.seen = append(p.seen, kept)
	fail := p.fail
	finish := func(r journal.Receipt, err error) {
		if fail != nil {
			r, err = journal.Receipt{}, fail
		}
		p.mu.Lock()
		if p.closed {
			p.held = append(p.held, func() { done(r, err) })
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		done(r, err)
	}
	return p.next.Submit(m, finish)
}

// hold keeps commits from being reported until open.
func (p *tap) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}

func (p *tap) open() {
	p.mu.Lock()
	held := p.held
	p.closed, p.held = false, nil
	p.mu.Unlock()
	for _, done := range held {
		done()
	}
}

func (p *tap) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.held)
}

func (p *tap) set(refuse, fail error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse, p.fail = refuse, fail
}

// taken gives what came to the lane of a kind.
func (p *tap) taken(kind journal.Kind) []journal.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []journal.Message
	for _, m := range p.seen {
		if m.Kind == kind {
			list = append(list, m)
		}
	}
	return list
}

type stateTap struct {
	*tap
	lane *journal.Lane
}

func (s stateTap) Read(ctx context.Context, from journal.Position, limit int) ([]journal.Entry, journal.Position, error) {
	return s.lane.Read(ctx, from, limit)
}

func (s stateTap) SetCursor(ctx context.Context, name string, p journal.Position) error {
	return s.lane.SetCursor(ctx, name, p)
}

// house is a broker on a real journal, with taps on its lanes.
type house struct {
	*Broker
	t                       testing.TB
	journal                 *journal.Journal
	people                  *people
	event, state, telemetry *tap
	log                     *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func testConfig() Config {
	cfg := DefaultConfig()
	cfg.TCP, cfg.WebSocket = "127.0.0.1:0", "127.0.0.1:0"
	return cfg
}

// open starts a house in a folder; change may alter the configuration.
func open(t testing.TB, dir string, change func(*Config)) *house {
	t.Helper()
	cfg := testConfig()
	if change != nil {
		change(&cfg)
	}
	h := &house{t: t, people: newPeople(), log: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.journal = openJournal(t, dir)
	s := storesOf(h.journal)
	h.event, h.telemetry = &tap{next: s.event}, &tap{next: s.telemetry}
	h.state = &tap{next: s.state}
	s.event, s.telemetry = h.event, h.telemetry
	s.state = stateTap{h.state, h.journal.Lane(journal.StateLane)}
	b, err := newBroker(cfg, s, h.people, log)
	if err != nil {
		t.Fatal(err)
	}
	h.Broker = b
	t.Cleanup(h.shut)
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	return h
}

func start(t testing.TB) *house { t.Helper(); return open(t, t.TempDir(), nil) }

func openJournal(t testing.TB, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(context.Background(), journalConfig(dir), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func journalConfig(dir string) journal.Config {
	cfg := journal.DefaultConfig()
	cfg.Dir = dir
	return cfg
}

// shut stops the broker, then the journal. Idempotent.
func (h *house) shut() {
	ctx, cancel := context.WithTimeout(context.Background(), patient10)
	defer cancel()
	for _, p := range []*tap{h.event, h.state, h.telemetry} {
		p.open()
	}
	if err := h.Stop(ctx); err != nil {
		h.t.Errorf("stop: %v", err)
	}
	if err := h.journal.Close(ctx); err != nil {
		h.t.Errorf("close journal: %v", err)
	}
}

// stored reads a lane of the journal, records about sessions left out.
func (h *house) stored(lane journal.LaneName) []journal.Entry {
	h.t.Helper()
	var list []journal.Entry
	pos := journal.Position{}
	for {
		entries, next, err := h.journal.Lane(lane).Read(context.Background(), pos, 1000)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, e := range entries {
			if e.Kind == journal.Publish || e.Kind == journal.Will {
				list = append(list, e)
			}
		}
		if len(entries) == 0 {
			return list
		}
		pos = next
	}
}

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
}

func (o hello) packet() []byte {
	if o.id == "" && !o.noID {
		o.id = o.user
	}
	if o.secret == "" {
		o.secret = "secret-" + o.user
	}
	b := lenText(nil, "MQTT")
	version, flags := byte(4), byte(0xC0)
	if o.v5 {
		version = 5
	}
	if !o.persist {
		flags |= 2
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
	return packet(typeConnect<<4, lenText(lenText(b, o.user), o.secret))
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
