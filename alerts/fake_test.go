package alerts

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"watchhouse/journal"
)

// fault is what becomes of one append.
type fault int

const (
	sound    fault = iota
	refused        // not stored, an error
	lost           // stored, an error all the same
	dying          // not stored, and the process is gone
	posthume       // stored, and the process is gone before anybody learns of it
)

var errDisk = errors.New("disk: no space")

// fakeLedger is a chain in memory whose appends fail as planned.
type fakeLedger struct {
	mu    sync.Mutex
	steps []journal.Step
	plan  []fault
	die   func() // ends the engine
	count int
	reads int
}

func (l *fakeLedger) ID() string { return "fake" }

func (l *fakeLedger) Append(_ context.Context, expect uint64, bodies ...[]byte) ([]journal.Step, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	if expect != uint64(len(l.steps)) {
		return nil, journal.ErrConflict
	}
	f := sound
	if len(l.plan) > 0 {
		f, l.plan = l.plan[0], l.plan[1:]
	}
	if f == refused || f == dying {
		if f == dying {
			l.die()
		}
		return nil, errDisk
	}
	from := len(l.steps)
	for _, b := range bodies {
		l.steps = append(l.steps, l.next(b))
	}
	switch f {
	case lost:
		return nil, errDisk
	case posthume:
		l.die()
		return nil, journal.ErrClosed
	}
	return slices.Clone(l.steps[from:]), nil
}

func (l *fakeLedger) next(body []byte) journal.Step {
	s := journal.Step{N: uint64(len(l.steps) + 1), Body: slices.Clone(body)}
	h := sha256.New()
	if n := len(l.steps); n > 0 {
		h.Write(l.steps[n-1].Hash[:])
	}
	h.Write(binary.BigEndian.AppendUint64(nil, s.N))
	h.Write(body)
	h.Sum(s.Hash[:0])
	return s
}

func (l *fakeLedger) Last(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.steps)), nil
}

func (l *fakeLedger) Read(_ context.Context, n uint64, limit int) ([]journal.Step, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	if n < 1 || n > uint64(len(l.steps)) {
		return nil, nil
	}
	return slices.Clone(l.steps[n-1 : min(len(l.steps), int(n)-1+limit)]), nil
}

// fakeLane is a lane in memory: a frame for each entry.
type fakeLane struct {
	mu      sync.Mutex
	entries []journal.Entry
	more    chan struct{}
	cursor  journal.Position
	gapAt   uint64 // this frame cannot be read, 0 = all can
}

func newFakeLane() *fakeLane { return &fakeLane{more: make(chan struct{})} }

func (l *fakeLane) add(m journal.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := uint64(len(l.entries) + 1)
	l.entries = append(l.entries, journal.Entry{
		Message: m, ID: n, Pos: journal.Position{Frame: n}, Next: journal.Position{Frame: n, Index: 1},
	})
	close(l.more)
	l.more = make(chan struct{})
}

func (l *fakeLane) Read(ctx context.Context, from journal.Position, limit int) ([]journal.Entry, journal.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if from.Compare(l.head()) > 0 {
		return nil, from, journal.ErrNotFound
	}
	at := int(from.Frame)
	if from.Index == 0 && at > 0 {
		at--
	}
	list := []journal.Entry{}
	for _, e := range l.entries[min(at, len(l.entries)):] {
		if len(list) == limit {
			break
		}
		if e.ID == l.gapAt {
			if len(list) == 0 {
				return nil, from, &journal.GapError{From: e.ID, To: e.ID, Lane: journal.EventLane, Resume: e.Next, Err: errDisk}
			}
			break
		}
		list, from = append(list, e), e.Next
	}
	return list, from, ctx.Err()
}

func (l *fakeLane) Wait(ctx context.Context, from journal.Position) error {
	for {
		l.mu.Lock()
		head, more := l.head(), l.more
		l.mu.Unlock()
		if from.Compare(head) < 0 {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *fakeLane) head() journal.Position {
	if len(l.entries) == 0 {
		return journal.Position{}
	}
	return l.entries[len(l.entries)-1].Next
}

func (l *fakeLane) Head() journal.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head()
}

func (l *fakeLane) First() journal.Position { return journal.Position{Frame: 1} }

func (l *fakeLane) Depth(p journal.Position) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head().Frame - min(p.Frame, l.head().Frame)
}

func (l *fakeLane) SetCursor(_ context.Context, _ string, p journal.Position) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cursor = p
	return nil
}

type fakeBucket struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (b *fakeBucket) Get(_ context.Context, key string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v, ok := b.m[key]; ok {
		return v, nil
	}
	return nil, journal.ErrNotFound
}

func (b *fakeBucket) Put(_ context.Context, key string, value []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.m[key] = slices.Clone(value)
	return nil
}

type fakeLetters struct {
	mu   sync.Mutex
	list []string
}

func (l *fakeLetters) Add(_ int64, body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, string(body))
}

// plant is everything an engine needs, surviving its restarts.
type plant struct {
	tb      testing.TB
	cfg     Config
	ledger  *fakeLedger
	event   *fakeLane
	state   *fakeLane
	tele    *fakeLane
	kv      *fakeBucket
	letters *fakeLetters
	mu      sync.Mutex // of world and changed
	world   *fakeWorld
	changed chan struct{}
	engine  *Engine
	cancel  context.CancelFunc
	ended   chan error
}

func newPlant(tb testing.TB) *plant {
	return &plant{
		tb: tb, cfg: DefaultConfig(), ledger: &fakeLedger{}, event: newFakeLane(), state: newFakeLane(), tele: newFakeLane(),
		kv: &fakeBucket{m: map[string][]byte{}}, letters: &fakeLetters{}, world: newWorld(), changed: make(chan struct{}),
	}
}

func (p *plant) ports() ports {
	return ports{
		ledger: p.ledger, event: p.event, state: p.state, telemetry: p.tele, kv: p.kv, letters: p.letters,
		world: func() world {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.world
		},
		changed: func() <-chan struct{} {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.changed
		},
		now: time.Now, log: slog.New(slog.DiscardHandler),
	}
}

// start runs a new engine on what there is.
func (p *plant) start() *Engine {
	p.tb.Helper()
	e, err := newEngine(context.Background(), p.cfg, shippedRules(p.tb), p.ports())
	if err != nil {
		p.tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.engine, p.cancel, p.ended = e, cancel, make(chan error, 1)
	p.ledger.mu.Lock()
	p.ledger.die = cancel
	p.ledger.mu.Unlock()
	go func() { p.ended <- e.Run(ctx) }()
	return e
}

// stop ends the engine in good order, or waits for one that died.
func (p *plant) stop() error {
	p.cancel()
	return <-p.ended
}

// edit changes the registry.
func (p *plant) edit(change func(w *fakeWorld)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := newWorld()
	w.revision = p.world.revision + 1
	maps.Copy(w.devices, p.world.devices)
	change(w)
	p.world = w
	close(p.changed)
	p.changed = make(chan struct{})
}

func publish(topic, device, payload string) journal.Message {
	return journal.Message{
		Kind: journal.Publish, ReceivedNS: time.Now().UnixNano(), Client: device, Device: device, Topic: topic, QoS: 1, Payload: []byte(payload),
	}
}

func (p *plant) press(device, payload string) {
	p.event.add(publish("wh/v1/"+device+"/event", device, payload))
}

func (p *plant) beat(device string) {
	p.tele.add(publish("wh/v1/"+device+"/telemetry", device, `{"battery_pct":90}`))
}

// tick is the watermark of idle lanes.
func (p *plant) tick() {
	for _, l := range []*fakeLane{p.event, p.state, p.tele} {
		l.add(journal.Message{Kind: journal.Tick, ReceivedNS: time.Now().UnixNano()})
	}
}

func (p *plant) hubStart() {
	p.state.add(journal.Message{Kind: journal.HubStart, ReceivedNS: time.Now().UnixNano()})
}

// live is what the engine shows of a device.
func (p *plant) live(device string) []*Incident {
	list := []*Incident{}
	for _, i := range p.engine.View().Incidents {
		if i.Device == device {
			list = append(list, i)
		}
	}
	return list
}

func (p *plant) only(device string) *Incident {
	p.tb.Helper()
	list := p.live(device)
	if len(list) != 1 {
		p.tb.Fatalf("%d incidents of %s", len(list), device)
	}
	return list[0]
}

// folded is the state that the ledger alone gives.
func (p *plant) folded() *book {
	p.tb.Helper()
	b := newBook()
	steps, _ := p.ledger.Read(context.Background(), 1, 1<<30)
	for _, raw := range steps {
		s, err := decodeStep(raw.Body)
		if err != nil {
			p.tb.Fatal(err)
		}
		if err := b.apply(raw.N, s); err != nil {
			p.tb.Fatal(err)
		}
	}
	return b
}
