package alerts

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/expr-lang/expr/vm"

	"watchhouse/alerts/window"
	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
	"watchhouse/telemetry/profile"
)

// watch holds the windows of all devices that a window rule covers and judges the rules by them. It stands beside the engine:
// the readers of the telemetry lane and of the event lane's second reading bring messages, and what it finds waits in a queue
// until the engine takes it. Windows and levels are a cache that a snapshot and the lanes give again. Safe for concurrent use;
// the engine's goroutine only ever touches the queue, which has a lock of its own.
type watch struct {
	spec  *watchSpec
	world func() world
	state func() int64 // watermark of the state lane, Unix ns
	log   *slog.Logger
	blind atomic.Int64 // Unix ns until which time alone raises nothing, see Config.BlindAfterStart
	found findings

	mu       sync.Mutex
	devices  map[string]*watched
	revision uint64 // of the registry, as of the last look at it
	near     nearby
	looks    lookHeap
	at       map[journal.LaneName]*mark            // up to where the lanes are in the windows
	floor    map[journal.LaneName]journal.Position // the ledger's places at the start
	reached  chan struct{}                         // closed when live
	patience time.Time                             // until when a lane waits for that
	kept     []Condition                           // active in the ledger at the start
	live     bool                                  // the lanes have been read up to the floor
	marks    []bool                                // scratch: parts to judge
	vm       vm.VM
	env      windowEnv
	frame    frame
}

// watched is one device. It holds nothing that the rules do not ask for.
type watched struct {
	id       string
	spec     *kindSpec
	reg      registry.Device
	place    registry.Place
	revision uint64                            // of the registry that reg and place are from
	clock    int64                             // Unix ms by the device's clock: of the newest reading or look
	lag      int64                             // ms: how much older than its receipt the newest message was, see watch_clock.go
	newest   struct{ telemetry, event int64 }  // Unix ms by the device's clock, of the messages of each lane
	first    int64                             // Unix ms: when the device was first heard
	emptied  int64                             // Unix ms: of the last event that says so
	heard    struct{ telemetry, event uint64 } // numbers of the last messages
	series   []*window.Series                  // by the spec's metrics
	events   []*window.Events
	on       map[string]bool // states that a profile's messages repeat
	levels   map[int]*level  // by part; what is missing is down
	lookAt   int64           // Unix ms, 0 = none is planned
	near     []*watched      // of the same kind
	nearAs   nearStamp       // of what they were found in
	twin     *watched        // the device by times of receipt, nil unless its clock was set back
	setBack  int64           // Unix ms: receipt of the last message that showed it
	of       *watched        // of a twin: the device, nil else
}

func newWatch(rules *Rules, p ports, state func() int64) *watch {
	w := &watch{
		spec: rules.watch, world: p.world, state: state, log: p.log, devices: map[string]*watched{}, marks: make([]bool, len(rules.watch.parts)),
		found: findings{wake: make(chan struct{}, 1)}, reached: make(chan struct{}), floor: map[journal.LaneName]journal.Position{},
		patience: time.Now().Add(laneWait), at: map[journal.LaneName]*mark{journal.TelemetryLane: {}, journal.EventLane: {}},
	}
	w.frame.watch = w
	w.env.Frame = &w.frame
	return w
}

// evidence is the message that a judgement rests on.
type evidence struct {
	lane      journal.LaneName
	id        uint64
	received  int64 // Unix ms
	effective int64 // Unix ms
}

// latest is the last message of a device, for what time alone brings about.
func (d *watched) latest(now int64) evidence {
	if d.heard.telemetry == 0 {
		return evidence{journal.EventLane, d.heard.event, now, now}
	}
	return evidence{journal.TelemetryLane, d.heard.telemetry, now, now}
}

// device gives a device in scope, nil when there is none.
func (w *watch) device(id string) *watched {
	d := w.devices[id]
	if d == nil {
		reg, ok := w.world().Device(id)
		if !ok || w.spec.kinds[reg.Kind] == nil {
			return nil
		}
		d = &watched{id: strings.Clone(id), spec: w.spec.kinds[reg.Kind]}
		w.devices[d.id] = d
		w.refresh(d)
		w.near.add(d)
	}
	if d.revision != w.revision {
		w.refresh(d)
	}
	if d.spec == nil {
		return nil
	}
	return d
}

// refresh reads again what the registry says of a device. One that has left, or is out of service, has nothing raised.
func (w *watch) refresh(d *watched) {
	world := w.world()
	reg, ok := world.Device(d.id)
	spec := w.spec.kinds[reg.Kind]
	if !ok {
		spec = nil
	}
	d.revision, d.reg = max(w.revision, 1), reg
	d.place, _ = world.Place(reg.Place)
	if spec != d.spec || spec == nil {
		w.endLevels(d, func(*part) bool { return true })
		d.spec, d.series, d.events, d.on, d.twin = spec, nil, nil, nil, nil
	}
	if d.reg.OutOfService {
		w.endLevels(d, func(p *part) bool { return p.Priority != 1 })
	}
	if d.spec != nil && d.series == nil {
		d.begin(w.spec)
	}
	if d.twin != nil {
		d.twin.reg, d.twin.place = d.reg, d.place
	}
}

// begin makes room for what the rules ask.
func (d *watched) begin(spec *watchSpec) {
	d.series, d.events = make([]*window.Series, len(spec.metrics)), make([]*window.Events, len(spec.events))
}

// follow notes a new revision of the registry: devices are read again when they are met next, silent ones at their next look.
func (w *watch) follow() {
	if now := max(w.world().Revision(), 1); now != w.revision {
		w.revision, w.near.places = now, nil
		for _, d := range w.devices {
			if len(d.levels) > 0 {
				w.device(d.id)
			}
		}
	}
}

// take brings messages of a lane into the windows, up to a place in it. A lane that has reached the ledger's place waits there
// for the other one: the levels at that place, and not later ones, are those that the ledger knows. False when ctx has ended.
func (w *watch) take(ctx context.Context, lane journal.LaneName, list []fed, next journal.Position, ns int64) bool {
	known := w.known(lane, list)
	if w.bring(lane, list[:known], next, ns, known == len(list)) {
		return true
	}
	t := time.NewTimer(time.Until(w.patience))
	defer t.Stop()
	select {
	case <-w.reached:
	case <-t.C: // the other lane cannot be read: heat is told all the same, the rest waits for it
	case <-ctx.Done():
		return false
	}
	return w.bring(lane, list[known:], next, ns, true)
}

// laneWait is how long after the start one lane waits for the other.
const laneWait = time.Minute

// lost tells that a lane begins anew, with other numbers: its file was lost. Nothing in it has been decided on.
func (w *watch) lost(lane journal.LaneName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.floor[lane], w.at[lane].pos = journal.Position{}, journal.Position{}
	for _, d := range w.devices {
		*d.number(lane) = 0
	}
}

// known is how many of the messages lie before the ledger's place.
func (w *watch) known(lane journal.LaneName, list []fed) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.live {
		return len(list)
	}
	floor := w.floor[lane]
	n := slices.IndexFunc(list, func(f fed) bool { return f.pos.Compare(floor) >= 0 })
	if n < 0 {
		return len(list)
	}
	return n
}

// bring takes messages in; all tells that the whole batch is in then. It reports whether there is nothing to wait for.
func (w *watch) bring(lane journal.LaneName, list []fed, next journal.Position, ns int64, all bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.follow()
	for i := range list {
		w.message(&list[i])
	}
	if all {
		w.at[lane].advance(next, ns)
	} else {
		w.at[lane].advance(w.floor[lane], 0)
	}
	w.arrive()
	w.advance()
	return all
}

// arrive makes the levels those of the ledger once both lanes have been read up to its places.
func (w *watch) arrive() {
	if w.live {
		return
	}
	for lane, floor := range w.floor {
		if w.at[lane].pos.Compare(floor) < 0 {
			return
		}
	}
	w.live = true
	w.reconcile()
	close(w.reached)
}

func (w *watch) message(f *fed) {
	defer contain(w.log, f.device)
	d := w.device(f.device)
	if d == nil || f.id <= *d.number(f.lane) {
		return
	}
	*d.number(f.lane) = f.id
	events := slices.Clip(f.content.Events)
	for _, l := range f.content.Levels {
		if d.edge(l) && l.On {
			events = append(events, l.Event())
		}
	}
	if len(f.content.Readings)+len(events) == 0 {
		return
	}
	newest := f.newest(events)
	w.twin(d, f, newest)
	d.keepTime(f, newest)
	w.hear(d, f, events, min(f.received()-newest, 0))
	if d.twin != nil {
		d.twin.heard = d.heard
		w.hear(d.twin, f, events, f.received()-newest)
	}
}

// hear takes in what a message says, with its times put right by shift, in ms.
func (w *watch) hear(d *watched, f *fed, events []telemetry.Event, shift int64) {
	for _, r := range f.content.Readings {
		w.reading(d, r, f, f.at(r.TS)+shift)
	}
	for _, ev := range events {
		w.event(d, ev, f, f.at(ev.TS)+shift)
	}
}

// number is that of the last message of a lane.
func (d *watched) number(lane journal.LaneName) *uint64 {
	if lane == journal.TelemetryLane {
		return &d.heard.telemetry
	}
	return &d.heard.event
}

// edge notes a state of the device and reports whether it is another than before.
func (d *watched) edge(l profile.Level) bool {
	if d.on[l.Field] == l.On {
		return false
	}
	if d.on == nil {
		d.on = map[string]bool{}
	}
	if d.on[l.Field] = l.On; !l.On {
		delete(d.on, l.Field)
	}
	return true
}

func (w *watch) reading(d *watched, r telemetry.Reading, f *fed, at int64) {
	w.mature(d, at)
	fresh := false
	for _, m := range r.Metrics {
		s, ok := d.spec.byMetric[m.Name]
		if !ok || !d.metric(w.spec, s.slot).Add(at, m.Value, w.spec.needs[s.slot].Readings) {
			continue
		}
		fresh = true
		w.mark(s.parts)
	}
	if fresh {
		w.judgeMarked(d, at, f.evidence(r.TS))
	}
}

func (w *watch) event(d *watched, ev telemetry.Event, f *fed, at int64) {
	if ev.Type == telemetry.EventEmptied {
		d.emptied = max(d.emptied, at)
	}
	s, ok := d.spec.byEvent[ev.Type]
	if !ok {
		return
	}
	if d.events[s.slot] == nil {
		d.events[s.slot] = &window.Events{}
	}
	d.events[s.slot].Add(at, f.content.Identity)
	w.mark(s.parts)
	w.judgeMarked(d, at, f.evidence(ev.TS))
}

func (f *fed) evidence(ts *int64) evidence { return evidence{f.lane, f.id, f.received(), f.at(ts)} }

func (w *watch) mark(parts []*part) {
	for _, p := range parts {
		w.marks[p.at] = true
	}
}

func (d *watched) metric(spec *watchSpec, slot int) *window.Series {
	if d.series[slot] == nil {
		s := window.NewSeries(spec.needs[slot])
		d.series[slot] = &s
	}
	return d.series[slot]
}

// judgeMarked judges the parts that a message concerns, in the order of the file.
func (w *watch) judgeMarked(d *watched, at int64, e evidence) {
	if d.first == 0 {
		d.first = at
	}
	w.enter(d, max(d.clock, at))
	for _, p := range d.spec.parts {
		if w.marks[p.at] {
			w.marks[p.at] = false
			w.judge(d, p, e)
		}
	}
	if d.spec.timed {
		w.plan(d, d.clock+d.lag+lookEvery.Milliseconds())
	}
}

// enter sets what the expressions read to a device at a time.
func (w *watch) enter(d *watched, now int64) {
	d.clock = now
	w.frame.device = d
	w.env.Open = d.place.Open(time.UnixMilli(now))
	w.env.Mains = d.reg.Power != telemetry.Battery
	w.env.IntervalS = d.reg.Interval().Seconds()
}
