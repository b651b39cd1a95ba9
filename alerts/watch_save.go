package alerts

import (
	"maps"
	"slices"

	"watchhouse/alerts/window"
	"watchhouse/journal"
)

// savedWatch is the head of a snapshot of the watch, with the places in the lanes up to which it is complete.
type savedWatch struct {
	V         int       `json:"v"`
	Epoch     string    `json:"epoch"`
	Telemetry cursor    `json:"telemetry"`
	Event     cursor    `json:"event"`
	Found     []finding `json:"found"` // not committed yet
}

// savedDevice names its metrics, events and parts, so that another rule file finds what it still asks for.
type savedDevice struct {
	ID                    string
	Clock, First, Emptied int64
	Lag, SetBack          int64
	NewestTelemetry       int64
	NewestEvent           int64
	Telemetry, Event      uint64 // numbers of the last messages
	Metrics               map[string]window.Series
	Events                map[string]window.Events
	On                    map[string]bool
	Levels                map[string]level // by rule and component
	Twin                  *savedDevice
}

// head begins a snapshot. The places are taken before the devices: a message that comes in between is read again after a
// restart, and its number tells that it is known.
func (w *watch) head(epoch string) (s savedWatch, ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return savedWatch{
		V: watchVersion, Epoch: epoch, Telemetry: w.at[journal.TelemetryLane].cursor(), Event: w.at[journal.EventLane].cursor(),
		Found: w.found.waiting(),
	}, sortedKeys(w.devices)
}

// devicesPerLock bounds how long the readers are held up by a snapshot.
const devicesPerLock = 64

// frozen copies devices, a few at a time.
func (w *watch) frozen(ids []string) []savedDevice {
	list := make([]savedDevice, 0, len(ids))
	for chunk := range slices.Chunk(ids, devicesPerLock) {
		w.mu.Lock()
		for _, id := range chunk {
			if d := w.devices[id]; d.spec != nil {
				list = append(list, w.freeze(d))
			}
		}
		w.mu.Unlock()
	}
	return list
}

func (w *watch) freeze(d *watched) savedDevice {
	s := savedDevice{
		ID: d.id, Clock: d.clock, First: d.first, Emptied: d.emptied, Telemetry: d.heard.telemetry, Event: d.heard.event,
		Lag: d.lag, SetBack: d.setBack, NewestTelemetry: d.newest.telemetry, NewestEvent: d.newest.event,
		Metrics: map[string]window.Series{}, Events: map[string]window.Events{}, Levels: map[string]level{}, On: maps.Clone(d.on),
	}
	if d.twin != nil {
		twin := w.freeze(d.twin)
		s.Twin = &twin
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

// restore makes the watch what it was.
func (w *watch) restore(s *savedWatch, devices []savedDevice) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.follow()
	for i := range devices {
		w.thaw(&devices[i])
	}
	latched := slices.DeleteFunc(s.Found, func(f finding) bool {
		p := w.spec.exactly(f.Rule, f.Component)
		return p == nil || !p.Latch
	})
	w.found.add(latched...)
	return w.startAt(s.Telemetry, s.Event)
}

// startAt sets from where the lanes are read into the windows, before anybody reads them.
func (w *watch) startAt(telemetry, event cursor) error {
	for _, x := range []struct {
		c cursor
		m *mark
	}{{telemetry, w.at[journal.TelemetryLane]}, {event, w.at[journal.EventLane]}} {
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
	w.fill(d, s)
	if s.Twin != nil && d.spec.urgent != nil {
		d.twin = w.twinOf(d)
		w.fill(d.twin, s.Twin)
	}
}

func (w *watch) fill(d *watched, s *savedDevice) {
	d.clock, d.first, d.emptied, d.on = s.Clock, s.First, s.Emptied, s.On
	d.heard.telemetry, d.heard.event = s.Telemetry, s.Event
	d.lag, d.setBack, d.newest.telemetry, d.newest.event = s.Lag, s.SetBack, s.NewestTelemetry, s.NewestEvent
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
		if d == nil {
			continue
		}
		for _, x := range d.withTwin() {
			if len(x.levels) == 0 {
				continue
			}
			w.enter(x, max(x.clock, now-x.lag))
			for _, p := range x.spec.parts {
				w.settleLevel(x, p, active[p.key(id)])
			}
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
	w.judge(d, p, d.latest(d.clock+d.lag))
}
