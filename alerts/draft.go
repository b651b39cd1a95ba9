package alerts

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"watchhouse/registry"
	"watchhouse/telemetry/catalog"
)

// places is what a decision may read of the registry: one revision.
type places interface {
	Revision() uint64
	Device(id string) (registry.Device, bool)
	Bridge(id string) (registry.Device, bool)
	Catalog() *catalog.Catalog
	Locate(topic, sender string) (registry.Origin, error)
	Place(id string) (registry.Place, bool)
	Contact(duty, area string) (registry.Contact, bool)
}

// decider makes decisions: a book, an input, the rules and one revision of the registry give a step. It is pure: it reads no
// clock and keeps no state.
type decider struct {
	rules  *Rules
	epoch  string
	writer string
}

// draft is a step in the making over a book that does not change meanwhile.
type draft struct {
	*decider
	places places
	book   *book
	step   step
	moved  map[string]*Incident  // as of the last transition in this step
	conds  map[string]Condition  // changed in this step
	seen   map[string][]identity // of devices, with what this step adds
	folds  bool                  // the step decides on several messages: the same said again is not said again
	moves  int                   // changes so far
}

// draft begins a step at a time, never before the book's own.
func (d *decider) draft(b *book, p places, cause string, nowMS int64) *draft {
	return &draft{
		decider: d, places: p, book: b, moved: map[string]*Incident{}, conds: map[string]Condition{},
		step: step{
			V: stepVersion, Writer: d.writer, Cause: cause, Now: max(nowMS, b.now),
			Rules: d.rules.hash, Reg: p.Revision(), First: b.seq + 1,
		},
	}
}

// finish gives the step, or nil when nothing came of it.
func (x *draft) finish(cur cursors) *step {
	if len(x.step.Transitions) == 0 && len(x.conds) == 0 && len(x.step.Levels) == 0 && len(x.step.Settled) == 0 && len(x.step.Fired) == 0 {
		return nil
	}
	for _, key := range sortedKeys(x.conds) {
		x.step.Conditions = append(x.step.Conditions, x.conds[key])
	}
	for _, id := range sortedKeys(x.moved) {
		x.diffTimers(id)
	}
	x.step.Cursors = cur
	return &x.step
}

// diffTimers writes down which clocks the step set and cleared.
func (x *draft) diffTimers(id string) {
	var before []Deadline
	if old, ok := x.book.incidents[id]; ok {
		before = old.Deadlines
	}
	after := x.moved[id].Deadlines
	for _, d := range before {
		if !slices.Contains(after, d) {
			x.step.Cleared = append(x.step.Cleared, timer{id, d.Name, d.DueAt})
		}
	}
	for _, d := range after {
		if !slices.Contains(before, d) {
			x.step.Set = append(x.step.Set, timer{id, d.Name, d.DueAt})
		}
	}
}

// incident gives an incident as this step has left it so far.
func (x *draft) incident(id string) (*Incident, bool) {
	if i, ok := x.moved[id]; ok {
		return i, true
	}
	i, ok := x.book.incidents[id]
	return i, ok
}

// answering gives the latest incident of a dedupe key.
func (x *draft) answering(key string) (*Incident, bool) {
	for _, k := range x.step.Keys {
		if k.Key == key {
			return x.incident(k.Incident)
		}
	}
	return x.incident(x.book.answers[key])
}

// emit numbers a transition to the given incident, which must not change afterwards.
func (x *draft) emit(kind, actor, text string, from State, after *Incident) {
	x.keepAwake(after)
	x.moves++
	if x.folds && x.foldInto(kind, text, from, after) {
		return
	}
	x.step.Transitions = append(x.step.Transitions, Transition{
		N: x.next(), At: x.step.Now, Kind: kind, Actor: actor, From: from, To: after.State, Text: text, Incident: after,
	})
	x.moved[after.ID] = after
}

// next is the number the next transition gets.
func (x *draft) next() uint64 { return x.step.First + uint64(len(x.step.Transitions)) }

// condition gives a condition as this step has left it so far.
func (x *draft) condition(key string) (Condition, bool) {
	if c, ok := x.conds[key]; ok {
		return c, true
	}
	c, ok := x.book.conditions[key]
	return c, ok
}

func (x *draft) setCondition(c Condition) {
	x.moves++
	x.conds[c.key()] = c
}

// eachCondition changes the conditions of an incident.
func (x *draft) eachCondition(incident string, change func(*Condition)) {
	keys := slices.Clone(x.book.linked[incident])
	for key, c := range x.conds {
		if c.Incident == incident && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		c, ok := x.condition(key)
		if !ok || c.Incident != incident {
			continue
		}
		before := c
		change(&c)
		if !sameFlags(before, c) {
			x.setCondition(c)
		}
	}
}

func sameFlags(a, b Condition) bool {
	return a.Active == b.Active && a.Acked == b.Acked && a.Latched == b.Latched && a.Incident == b.Incident
}

// armLadder starts the clocks of an incident that calls for attention since base, and stops all others.
func (x *draft) armLadder(i *Incident, base int64) {
	i.Deadlines = i.Deadlines[:0]
	for _, e := range x.rules.clocksOf(i.Rule, i.Priority).Escalation {
		i.arm(e.Name, base+e.After.Milliseconds())
	}
}

// armFired starts again the steps that have fired; those still to come are not put off.
func (x *draft) armFired(i *Incident, base int64) {
	i.disarm(clockRemind)
	for _, e := range x.rules.clocksOf(i.Rule, i.Priority).Escalation {
		if _, waiting := i.deadline(e.Name); !waiting {
			i.arm(e.Name, base+e.After.Milliseconds())
		}
	}
}

// stopUntilAcknowledged clears the steps that only wait for a person; those until recovered go on.
func (x *draft) stopUntilAcknowledged(i *Incident) {
	c := x.rules.clocksOf(i.Rule, i.Priority)
	i.Deadlines = slices.DeleteFunc(i.Deadlines, func(d Deadline) bool {
		e, ok := c.step(d.Name)
		return !ok || e.Until != untilRecovered
	})
}

// only leaves a single clock, none when the duration is zero.
func only(i *Incident, name string, base int64, after time.Duration) {
	i.Deadlines = i.Deadlines[:0]
	if after > 0 {
		i.arm(name, base+after.Milliseconds())
	}
}

// send queues a command to a device.
func (x *draft) send(e OutboxEntry) {
	e.At = x.step.Now
	// The number of transitions and entries so far makes the id unique in the ledger.
	e.ID = incidentID(x.epoch+"/outbox/"+e.Device, x.step.Now, x.next()<<8|uint64(len(x.step.Outbox)))
	x.step.Outbox = append(x.step.Outbox, e)
}

func compareTimers(a, b timer) int {
	return cmp.Or(cmp.Compare(a.DueAt, b.DueAt), strings.Compare(a.Incident, b.Incident), strings.Compare(a.Name, b.Name))
}
