package live_test

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"watchhouse/dashboard/live"
	"watchhouse/dashboard/stream"
	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry/catalog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lane is a lane in memory: one entry a frame.
type lane struct {
	mu      sync.Mutex
	entries []journal.Entry
	purged  int
	gap     map[uint64]bool // numbers that can not be read
	changed chan struct{}
	reads   int
}

func newLane() *lane { return &lane{changed: make(chan struct{}), gap: map[uint64]bool{}} }

func (l *lane) add(m journal.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := uint64(len(l.entries) + 1)
	l.entries = append(l.entries, journal.Entry{
		Message: m, ID: n, Pos: journal.Position{Frame: n}, Next: journal.Position{Frame: n + 1},
	})
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *lane) at(p journal.Position) int { return max(int(p.Frame)-1, 0) }

func (l *lane) Read(_ context.Context, from journal.Position, limit int) ([]journal.Entry, journal.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	i := max(l.at(from), l.purged)
	var out []journal.Entry
	for ; i < len(l.entries) && len(out) < limit; i++ {
		if e := l.entries[i]; l.gap[e.ID] {
			return out, e.Pos, &journal.GapError{From: e.ID, To: e.ID, Resume: e.Next, Err: journal.ErrDamaged}
		}
		out = append(out, l.entries[i])
	}
	return out, journal.Position{Frame: uint64(i) + 1}, nil
}

func (l *lane) Wait(ctx context.Context, from journal.Position) error {
	for {
		l.mu.Lock()
		ready, changed := l.at(from) < len(l.entries), l.changed
		l.mu.Unlock()
		if ready {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (l *lane) Head() journal.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return journal.Position{Frame: uint64(len(l.entries)) + 1}
}

func (l *lane) First() journal.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return journal.Position{Frame: uint64(l.purged) + 1}
}

func (l *lane) Depth(p journal.Position) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(max(0, len(l.entries)-l.at(p)))
}

func (l *lane) Locate(_ context.Context, id uint64) (journal.Position, error) {
	return journal.Position{Frame: id}, nil
}

// reg is a registry in memory.
type reg struct {
	mu      sync.Mutex
	devices []registry.Device
	changed chan struct{}
}

func (r *reg) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

func (r *reg) Devices() []registry.Device {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.devices)
}

func (r *reg) Locate(topic, sender string) (registry.Origin, error) {
	c, err := catalog.Shipped()
	if err != nil {
		return registry.Origin{}, err
	}
	return registry.NewLocator(c, r.Devices()).Locate(topic, sender)
}

func (r *reg) BridgeState(topic string, payload []byte) (online, ok bool) {
	c, err := catalog.Shipped()
	if err != nil {
		return false, false
	}
	return registry.NewLocator(c, r.Devices()).BridgeState(topic, payload)
}

func (r *reg) set(ds ...registry.Device) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.devices = ds
	close(r.changed)
	r.changed = make(chan struct{})
}

type store struct {
	mu     sync.Mutex
	values map[string][]byte
	puts   int
	refuse error
}

func (s *store) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.values[key]; ok {
		return v, nil
	}
	return nil, journal.ErrNotFound
}

func (s *store) Put(_ context.Context, key string, v []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		return s.refuse
	}
	s.puts++
	s.values[key] = v
	return nil
}

type sink struct {
	mu          sync.Mutex
	updates     int
	resnapshots int
}

func (s *sink) Devices(u []stream.Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updates += len(u)
}

func (s *sink) Resnapshot() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resnapshots++
}

func (s *sink) counts() (int, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updates, s.resnapshots
}

// world is everything around a projection; it outlives one.
type world struct {
	lanes   map[journal.LaneName]*lane
	reg     *reg
	store   *store
	sink    *sink
	refused atomic.Pointer[map[string]live.Refusal]
	cfg     live.Config
}

func newWorld(ds ...registry.Device) *world {
	return &world{
		lanes: map[journal.LaneName]*lane{journal.EventLane: newLane(), journal.StateLane: newLane(), journal.TelemetryLane: newLane()},
		reg:   &reg{devices: ds, changed: make(chan struct{})},
		store: &store{values: map[string][]byte{}},
		sink:  &sink{},
		cfg:   config(),
	}
}

func (w *world) refusals() map[string]live.Refusal {
	if all := w.refused.Load(); all != nil {
		return *all
	}
	return nil
}

// begin starts a projection and returns it with its end.
func (w *world) begin(t testing.TB) (*live.Projection, func()) {
	t.Helper()
	lanes := map[journal.LaneName]live.Lane{}
	for name, l := range w.lanes {
		lanes[name] = l
	}
	p, err := live.New(w.cfg, live.Deps{Lanes: lanes, Registry: w.reg, Store: w.store, Sink: w.sink, Refusals: w.refusals, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return p, stop
}

func button(id string) registry.Device {
	return registry.Device{ID: id, Kind: "emergency_button", Name: "1号101", Area: "c-1", Power: "mains", ReportInterval: 5 * time.Minute}
}

func (w *world) publish(name journal.LaneName, device, topic, payload string, atMS int64) {
	w.lanes[name].add(journal.Message{
		Kind: journal.Publish, Device: device, Client: device, Topic: topic, ReceivedNS: atMS * 1e6, Payload: []byte(payload),
	})
}

func (w *world) telemetry(device, payload string, atMS int64) {
	w.publish(journal.TelemetryLane, device, "wh/v1/"+device+"/telemetry", payload, atMS)
}

func (w *world) session(kind journal.Kind, device string, conn uint64, atMS int64) {
	w.lanes[journal.StateLane].add(journal.Message{Kind: kind, Device: device, Client: device, Conn: conn, ReceivedNS: atMS * 1e6})
}

func deviceID(i int) string { return "btn-" + strconv.Itoa(10_000+i) }
