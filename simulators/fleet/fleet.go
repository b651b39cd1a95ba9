package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"watchhouse/simulators/device"
	"watchhouse/telemetry"
)

// Fleet is a set of simulated devices and their links.
type Fleet struct {
	cfg    Config
	addr   string
	ledger Ledger
	log    *slog.Logger
	links  []*link
	byID   map[string]*member
	stats  counters
}

// member is a device and the link it speaks through.
type member struct {
	*device.Device
	link *link
}

type counters struct {
	online, sent, acked, pending, reconnects, failed, commands atomic.Int64
}

// New makes the devices and their links. A device whose gateway is not among the specs gets a connection of its own and speaks under its
// own prefix.
func New(cfg Config, specs []device.Spec, log *slog.Logger) (*Fleet, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	u, err := url.Parse(cfg.Broker)
	if err != nil {
		return nil, fmt.Errorf("fleet: broker: %w", err)
	}
	f := &Fleet{cfg: cfg, addr: u.Host, ledger: cfg.Ledger, log: log, byID: map[string]*member{}}
	if f.ledger == nil {
		f.ledger = noLedger{}
	}
	known := map[string]bool{}
	for _, s := range specs {
		if known[s.ID] {
			return nil, fmt.Errorf("fleet: device %s is there twice", s.ID)
		}
		known[s.ID] = true
	}
	if err := f.connect(specs, known); err != nil {
		return nil, err
	}
	if u.Scheme == "ssl" {
		if err := f.encrypt(u.Hostname()); err != nil {
			return nil, fmt.Errorf("fleet: %w", err)
		}
	}
	return f, nil
}

// connect gives every device its link: gateways first, then those behind them.
func (f *Fleet) connect(specs []device.Spec, known map[string]bool) error {
	r := routes{fleet: f, start: time.Now(), bridges: map[string]*link{}}
	var behind []device.Spec
	for _, s := range specs {
		foreign, err := r.foreign(s)
		switch {
		case err != nil:
			return err
		case foreign:
		case known[s.Gateway]:
			behind = append(behind, s)
		default:
			r.own(s)
		}
	}
	for _, s := range behind {
		f.add(s, f.byID[s.Gateway].link, device.Options{Start: r.start})
	}
	return nil
}

// bootEpoch is where restart counters from the clock begin: 2024-01-01.
const bootEpoch = 1704067200

// add makes a device with what the fleet has in common.
func (f *Fleet) add(s device.Spec, l *link, o device.Options) {
	if o.Boot = f.cfg.Boot; o.Boot == 0 {
		o.Boot = uint32(o.Start.Unix() - bootEpoch)
	}
	o.Seed, o.Speed, o.Pace, o.From = f.cfg.Seed, f.cfg.Speed, f.cfg.Pace, f.cfg.from(o.Start)
	m := &member{Device: device.New(s, o), link: l}
	if len(l.members) == 0 {
		f.links = append(f.links, l)
	}
	l.members = append(l.members, m.Device)
	f.byID[s.ID] = m
}

// Run connects everything and keeps it alive until ctx ends; then the links disconnect. What is unacknowledged then stays so.
func (f *Fleet) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, l := range f.links {
		wg.Go(func() { l.run(ctx) })
	}
	if f.cfg.Progress != nil {
		f.report(ctx)
	}
	wg.Wait()
}

func (f *Fleet) report(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.cfg.Progress(f.Stats())
		}
	}
}

// Stats now.
func (f *Fleet) Stats() Stats {
	c := &f.stats
	return Stats{
		Links: int64(len(f.links)), Online: c.online.Load(), Sent: c.sent.Load(), Acked: c.acked.Load(), Pending: c.pending.Load(),
		Reconnects: c.reconnects.Load(), FailedTry: c.failed.Load(), Commands: c.commands.Load(),
	}
}

// Devices lists the ids of a kind in order; every kind when it is empty.
func (f *Fleet) Devices(kind telemetry.Kind) []string {
	var out []string
	for id, m := range f.byID {
		if kind == "" || m.Spec().Kind == kind {
			out = append(out, id)
		}
	}
	return slices.Sorted(slices.Values(out))
}

// Has reports whether the device is in the fleet.
func (f *Fleet) Has(id string) bool { return f.byID[id] != nil }

// Drain waits until nothing is queued or unacknowledged, or ctx ends.
func (f *Fleet) Drain(ctx context.Context) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for f.stats.pending.Load() > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("fleet: %d messages unacknowledged: %w", f.stats.pending.Load(), ctx.Err())
		case <-ticker.C:
		}
	}
	return nil
}

// UnconnectedError tells of clients that have tried to sign in and never could.
type UnconnectedError struct {
	Broker      string
	Clients, Of int
	First       string // client id of the first of them
	Reason      error  // of its last attempt
}

func (e *UnconnectedError) Error() string {
	return fmt.Sprintf("%d of %d clients could not sign in to %s; %s: %v", e.Clients, e.Of, e.Broker, e.First, e.Reason)
}

func (e *UnconnectedError) Unwrap() error { return e.Reason }

// Unconnected is an *UnconnectedError when a client has tried to sign in and never could, else nil.
func (f *Fleet) Unconnected() error {
	e := &UnconnectedError{Broker: f.cfg.Broker, Of: len(f.links)}
	for _, l := range f.links {
		l.mu.Lock()
		signedIn, refusal := l.signedIn, l.refusal
		l.mu.Unlock()
		if signedIn || refusal == nil {
			continue
		}
		if e.Clients++; e.Clients == 1 {
			e.First, e.Reason = l.name, refusal
		}
	}
	if e.Clients == 0 {
		return nil
	}
	return e
}
