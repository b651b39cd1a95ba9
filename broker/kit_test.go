package broker

import (
	"bytes"
	"context"
	"log/slog"
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
	fallen   map[string]bool // may not stay
	answered func()          // called once, after Stands has decided and before it answers
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

// fall lets nobody of this id stay, as if its secret were another.
func (p *people) fall(id string, fallen bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fallen = map[string]bool{id: fallen}
}

func (p *people) remove(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, id)
	p.announce()
}

// change tells the broker of a new revision.
func (p *people) change() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.announce()
}

func (p *people) announce() {
	p.revision.Add(1)
	close(p.changed)
	p.changed = make(chan struct{})
}

// whenAnswered has f called once by the next question whether somebody may stay.
func (p *people) whenAnswered(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered = f
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

func (p *people) Certified(username, clientID string) (registry.Principal, error) {
	return p.Authenticate(username, clientID, []byte("secret-"+username))
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

func (p *people) Locate(topic, _ string) (registry.Origin, error) {
	t, err := telemetry.ParseTopic(topic)
	return registry.Origin{Topic: t}, err
}

func (p *people) Revision() uint64 { return p.revision.Load() }

func (p *people) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

func (p *people) Behind(id string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.children[id])
}

func (p *people) Known(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.known[id]
	return ok
}

func (p *people) Stands(who registry.Principal) bool {
	p.mu.Lock()
	_, ok := p.known[who.ID]
	ok = ok && !p.fallen[who.ID]
	answered := p.answered
	p.answered = nil
	p.mu.Unlock()
	if answered != nil {
		answered()
	}
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

// open reports what was held, in order, and from then on everything at once.
func (p *tap) open() {
	for {
		p.mu.Lock()
		held := p.held
		p.held = nil
		p.closed = len(held) > 0 // until nothing is left, so that nothing overtakes
		p.mu.Unlock()
		if len(held) == 0 {
			return
		}
		for _, done := range held {
			done()
		}
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
	certificates            *certificates // nil without TLS
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
	cfg.Account.EventsPerSecond, cfg.Account.MaxEventsPerSecond = 1_000_000, 1_000_000 // most tests send as fast as they can
	return cfg
}

// open starts a house in a folder; change may alter the configuration.
func open(t testing.TB, dir string, change func(*Config)) *house {
	t.Helper()
	cfg := testConfig()
	if change != nil {
		change(&cfg)
	}
	return openWith(t, dir, cfg, nil)
}

// openWith starts a house whose listeners but TCP speak TLS when there are certificates.
func openWith(t testing.TB, dir string, cfg Config, own *certificates) *house {
	t.Helper()
	h := &house{t: t, people: newPeople(), log: &lockedBuffer{}, certificates: own}
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
	if own != nil {
		b.certificates = own.store
	}
	if err := b.bind(); err != nil {
		t.Fatal(err)
	}
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
