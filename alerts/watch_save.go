package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"watchhouse/alerts/window"
	"watchhouse/journal"
)

// watchKey is where the bucket keeps the windows.
const watchKey = "windows"

// savedWatch is the watch with the places in the lanes up to which it is complete. Metrics, events and parts are named, so
// that another rule file finds what it still asks for.
type savedWatch struct {
	V         int           `json:"v"`
	Epoch     string        `json:"epoch"`
	Telemetry cursor        `json:"telemetry"`
	Event     cursor        `json:"event"`
	Devices   []savedDevice `json:"devices"`
	Found     []finding     `json:"found"` // not committed yet
}

type savedDevice struct {
	ID        string                   `json:"id"`
	Clock     int64                    `json:"clock"`
	First     int64                    `json:"first"`
	Emptied   int64                    `json:"emptied,omitempty"`
	Telemetry uint64                   `json:"tn,omitempty"` // numbers of the last messages
	Event     uint64                   `json:"en,omitempty"`
	Metrics   map[string]window.Series `json:"metrics,omitempty"`
	Events    map[string]window.Events `json:"events,omitempty"`
	On        map[string]bool          `json:"on,omitempty"`
	Levels    map[string]level         `json:"levels,omitempty"` // by rule and component
}

// devicesPerLock bounds how long the readers are held up by a snapshot.
const devicesPerLock = 64

// save copies everything, a few devices at a time. The places are taken first: a message that comes in between is read again
// after a restart, and its number tells that it is known.
func (w *watch) save(epoch string) savedWatch {
	w.mu.Lock()
	s := savedWatch{
		V: snapshotVersion, Epoch: epoch, Telemetry: w.at[journal.TelemetryLane].cursor(), Event: w.at[journal.EventLane].cursor(), Found: w.found.waiting(),
	}
	ids := sortedKeys(w.devices)
	w.mu.Unlock()
	for chunk := range slices.Chunk(ids, devicesPerLock) {
		w.mu.Lock()
		for _, id := range chunk {
			if d := w.devices[id]; d.spec != nil {
				s.Devices = append(s.Devices, w.freeze(d))
			}
		}
		w.mu.Unlock()
	}
	return s
}

func (w *watch) freeze(d *watched) savedDevice {
	s := savedDevice{
		ID: d.id, Clock: d.clock, First: d.first, Emptied: d.emptied, Telemetry: d.heard.telemetry, Event: d.heard.event,
		Metrics: map[string]window.Series{}, Events: map[string]window.Events{}, Levels: map[string]level{}, On: maps.Clone(d.on),
	}
	for slot, m := range d.series {
		if m != nil {
			s.Metrics[w.spec.metrics[slot]] = m.Clone()
		}
	}
	for slot, e := range d.events {
		if e != nil {
			s.Events[w.spec.events[slot]] = window.Events{Times: slices.Clone(e.Times), IDs: slices.Clone(e.IDs)}
		}
	}
	for at, lv := range d.levels {
		s.Levels[w.spec.parts[at].name()] = *lv
	}
	return s
}

// name of a part in a snapshot.
func (p *part) name() string { return conditionKey(p.ID, p.component, "") }

// load reads what save wrote, nil when there is nothing that can be used: then windows begin empty.
func (w *watch) load(ctx context.Context, kv bucket, epoch string) (*savedWatch, error) {
	data, err := kv.Get(ctx, watchKey)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read windows: %w", err)
	}
	var s savedWatch
	if err := json.Unmarshal(data, &s); err != nil || s.V != snapshotVersion || s.Epoch != epoch {
		return nil, nil //nolint:nilerr // a cache
	}
	return &s, nil
}

// restore makes the watch what it was.
func (w *watch) restore(s *savedWatch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.follow()
	for i := range s.Devices {
		w.thaw(&s.Devices[i])
	}
	latched := slices.DeleteFunc(s.Found, func(f finding) bool {
		p := w.spec.exactly(f.Rule, f.Component)
		return p == nil || !p.Latch
	})
	w.found.add(latched...)
	for _, x := range []struct {
		c cursor
		m *mark
	}{{s.Telemetry, w.at[journal.TelemetryLane]}, {s.Event, w.at[journal.EventLane]}} {
		pos, err := x.c.position()
		if err != nil {
			return err
		}
		x.m.advance(pos, x.c.NS)
	}
	return nil
}

func (w *watch) thaw(s *savedDevice) {
	d := w.device(s.ID)
	if d == nil {
		return
	}
	d.clock, d.first, d.emptied, d.on = s.Clock, s.First, s.Emptied, s.On
	d.heard.telemetry, d.heard.event = s.Telemetry, s.Event
	for slot, name := range w.spec.metrics {
		if m, ok := s.Metrics[name]; ok {
			m.Fit(w.spec.needs[slot])
			d.series[slot] = &m
		}
	}
	for slot, name := range w.spec.events {
		if e, ok := s.Events[name]; ok {
			d.events[slot] = &e
		}
	}
	for _, p := range d.spec.parts {
		if lv, ok := s.Levels[p.name()]; ok {
			d.setLevel(p, &lv)
		}
	}
	w.plan(d, max(d.clock, 1))
}

func (d *watched) setLevel(p *part, lv *level) {
	if d.levels == nil {
		d.levels = map[int]*level{}
	}
	d.levels[p.at] = lv
}

// begin says up to where the ledger had decided when the engine started, and what is active in it.
func (w *watch) begin(telemetry, event journal.Position, conditions map[string]Condition, byID map[string]*rule) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.floor[journal.TelemetryLane], w.floor[journal.EventLane] = telemetry, event
	for _, key := range slices.Sorted(maps.Keys(conditions)) {
		c := conditions[key]
		if r := byID[c.Rule]; c.Active && !c.Latched && (r == nil || r.Kind == ruleWindow) {
			w.kept = append(w.kept, c)
		}
	}
}

// reconcile makes the levels those of the ledger, which is the truth of what has been raised, and judges them anew: what was
// found and never committed is found again, what was committed is not. A latched level is told again; the ledger knows it by
// its cause.
func (w *watch) reconcile() {
	active := map[string]bool{}
	for _, c := range w.kept {
		active[c.key()] = w.keep(c)
	}
	w.kept = nil
	now := w.watermark()
	for _, id := range sortedKeys(w.devices) {
		d := w.device(id)
		if d == nil || len(d.levels) == 0 {
			continue
		}
		w.enter(d, max(d.clock, now))
		for _, p := range d.spec.parts {
			w.settleLevel(d, p, active[p.key(id)])
		}
	}
}

// keep makes a level of a condition that is active in the ledger, or ends what nothing watches any more.
func (w *watch) keep(c Condition) bool {
	p, d := w.spec.exactly(c.Rule, c.Component), w.device(c.Device)
	if p == nil || d == nil || !slices.Contains(d.spec.parts, p) || d.reg.OutOfService {
		w.found.add(finding{Rule: c.Rule, Device: c.Device, Component: c.Component, Since: c.Since, Text: "no longer watched"})
		return false
	}
	if lv := d.levels[p.at]; lv == nil || !lv.Up {
		d.setLevel(p, &level{Up: true, Since: c.Since})
	}
	return true
}

func (w *watch) settleLevel(d *watched, p *part, active bool) {
	lv := d.levels[p.at]
	switch {
	case lv == nil:
		return
	case p.Latch && lv.Up:
		w.emit(d, p, lv, "")
	case !p.Latch:
		lv.Up = active
	}
	w.judge(d, p, evidence{journal.TelemetryLane, d.heard.telemetry, d.clock, d.clock})
}
