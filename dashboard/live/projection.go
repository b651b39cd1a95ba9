package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"watchhouse/dashboard/stream"
	"watchhouse/journal"
	"watchhouse/registry"
)

// Config of a Projection.
type Config struct {
	Interval     time.Duration // between two looks at what changed
	SaveInterval time.Duration
	CatchUp      int // messages read back per lane at start, at most
}

// Deps of a Projection.
type Deps struct {
	Lanes    map[journal.LaneName]Lane
	Registry Registry
	Store    Store
	Sink     Sink
	Refusals func() map[string]Refusal // who is not let in although its secret is right; nil = not known
	Log      *slog.Logger
}

// Lane is what is read of a lane; *journal.Lane is one.
type Lane interface {
	Read(ctx context.Context, from journal.Position, limit int) ([]journal.Entry, journal.Position, error)
	Wait(ctx context.Context, from journal.Position) error
	Head() journal.Position
	First() journal.Position
	Depth(p journal.Position) uint64
	Locate(ctx context.Context, id uint64) (journal.Position, error)
}

// Registry tells which devices there are, and the accounts of bridges as such, and whose a topic is. Changed closes when Devices answers
// something new.
type Registry interface {
	Changed() <-chan struct{}
	Devices() []registry.Device
	BridgeState(topic string, payload []byte) (online, ok bool)
	Locate(topic, sender string) (registry.Origin, error)
}

// Store keeps the saved state; *journal.KV is one.
type Store interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, value []byte) error
}

// Sink gets changed states; it must not block. Resnapshot tells it that a device is gone.
type Sink interface {
	Devices(updates []stream.Update)
	Resnapshot()
}

// Projection keeps the devices' states.
type Projection struct {
	cfg Config
	d   Deps
	log *slog.Logger

	mu      sync.Mutex
	devices map[string]*device
	order   []string // ids of devices, sorted
	cursors map[journal.LaneName]journal.Position
	unsaved bool
}

// New reads the registry; Run reads the saved state and the lanes.
func New(cfg Config, d Deps) (*Projection, error) {
	if cfg.Interval <= 0 || cfg.SaveInterval <= 0 || cfg.CatchUp < 0 {
		return nil, errors.New("live: interval and save interval must be positive")
	}
	p := &Projection{
		cfg: cfg, d: d, log: d.Log,
		devices: map[string]*device{}, cursors: map[journal.LaneName]journal.Position{},
	}
	if err := p.restore(context.Background()); err != nil {
		// The saved state only shortens the catch-up.
		p.log.Warn("saved device states not used", "error", err)
	}
	p.register(p.d.Registry.Devices())
	p.flush(time.Now())
	return p, nil
}

// Run follows the lanes until ctx ends, then saves.
func (p *Projection) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for name, lane := range p.d.Lanes {
		wg.Go(func() { p.follow(ctx, name, lane) })
	}
	wg.Go(func() { p.followRegistry(ctx) })
	p.tick(ctx)
	wg.Wait()
	p.flush(time.Now())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := p.save(ctx); err != nil {
		return fmt.Errorf("save the device states: %w", err)
	}
	return nil
}

func (p *Projection) tick(ctx context.Context) {
	flush, silence, save := time.NewTicker(p.cfg.Interval), time.NewTicker(time.Second), time.NewTicker(p.cfg.SaveInterval)
	defer flush.Stop()
	defer silence.Stop()
	defer save.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-flush.C:
			p.d.Sink.Devices(p.flush(now))
		case now := <-silence.C:
			p.listen(now)
		case <-save.C:
			if err := p.save(ctx); err != nil && ctx.Err() == nil {
				p.log.Warn("device states not saved", "error", err)
			}
		}
	}
}

func (p *Projection) followRegistry(ctx context.Context) {
	for {
		changed := p.d.Registry.Changed()
		if p.register(p.d.Registry.Devices()) {
			p.d.Sink.Resnapshot()
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// register takes over the devices of the registry and reports whether one is gone. States saved for devices that are not
// registered are dropped.
func (p *Projection) register(all []registry.Device) (gone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := make(map[string]struct{}, len(all))
	for _, r := range all {
		known[r.ID] = struct{}{}
		d := p.devices[r.ID]
		if d == nil {
			d = &device{dirty: true}
			p.devices[r.ID] = d
		}
		if s := staticOf(r); !sameStatic(s, d.static) {
			d.static, d.dirty = s, true
		}
	}
	for id, d := range p.devices {
		if _, ok := known[id]; !ok {
			gone = gone || d.static.ID != ""
			delete(p.devices, id)
		}
	}
	p.order = p.order[:0]
	for id := range p.devices {
		p.order = append(p.order, id)
	}
	slices.Sort(p.order)
	return gone
}

func sameStatic(a, b DeviceState) bool {
	return a.ID == b.ID && a.Kind == b.Kind && a.Name == b.Name && a.Area == b.Area && a.Person == b.Person &&
		equal(a.Lat, b.Lat) && equal(a.Lon, b.Lon) && a.Power == b.Power && a.Gateway == b.Gateway &&
		a.Model == b.Model && a.Address == b.Address && a.Place == b.Place &&
		a.IntervalS == b.IntervalS && a.OutOfService == b.OutOfService
}

func equal(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }

// listen marks the devices that fell silent or are heard again, and those that are not let in.
func (p *Projection) listen(now time.Time) {
	var refused map[string]Refusal
	if p.d.Refusals != nil {
		refused = p.d.Refusals()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, d := range p.devices {
		if s := d.isSilent(now.UnixMilli()); s != d.silent {
			d.silent, d.dirty = s, true
		}
		d.setRefused(refused, id)
	}
}

// flush decodes what waits and renders what changed.
func (p *Projection) flush(now time.Time) []stream.Update {
	p.mu.Lock()
	defer p.mu.Unlock()
	var updates []stream.Update
	for _, id := range p.order {
		d := p.devices[id]
		if !d.dirty {
			continue
		}
		d.decode()
		d.silent = d.isSilent(now.UnixMilli())
		if err := d.render(now.UnixMilli()); err != nil {
			p.log.Error("device state can not be shown", "device", id, "error", err)
			d.dirty = false
			continue
		}
		updates = append(updates, stream.Update{ID: id, JSON: d.frame})
		p.unsaved = true
	}
	return updates
}

// List gives all states by id, as of the last interval.
func (p *Projection) List() []DeviceState {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]DeviceState, 0, len(p.order))
	for _, id := range p.order {
		if d := p.devices[id]; d.frame != nil {
			out = append(out, d.shown)
		}
	}
	return out
}

// Get gives one.
func (p *Projection) Get(id string) (DeviceState, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.devices[id]
	if d == nil || d.frame == nil {
		return DeviceState{}, false
	}
	return d.shown, true
}

// Frames gives all states as they were marshalled.
func (p *Projection) Frames() []stream.Update {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]stream.Update, 0, len(p.order))
	for _, id := range p.order {
		if d := p.devices[id]; d.frame != nil {
			out = append(out, stream.Update{ID: id, JSON: d.frame})
		}
	}
	return out
}
