package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// keep is how long closed incidents stay in the live state and idempotency keys are honoured, in ms.
const keep = 24 * 60 * 60 * 1000

// seenPerDevice and seenFor bound the memory for message identities: the lane's retention is seven days too.
const (
	seenPerDevice = 128
	seenFor       = 7 * keep
)

// book is everything the ledger says: fold(snapshot, steps). It has one owner, the engine; the values it points to are
// immutable and may be shared.
type book struct {
	step uint64 // number of the last step in the chain
	seq  uint64 // number of the last transition
	now  int64

	incidents  map[string]*Incident // open, and closed less than keep ago
	answers    map[string]string    // dedupe key to the latest incident
	keysOf     map[string]string    // incident to its dedupe key
	conditions map[string]Condition
	linked     map[string][]string // incident to the keys of its conditions, derived
	timers     map[timerID]int64
	outbox     map[string]OutboxEntry
	commands   map[string]done
	seen       map[string][]identity      // by device, oldest first
	levels     map[string][]string        // by device, the fields whose level is on, sorted
	told       map[string]int64           // by device and field, when a level that a person sets last counted
	crowds     map[string]map[uint64]bool // incident of many strangers to those it knows, as hashes
	strangers  map[string][]aged          // by rule and who brought them, the latest with cards of their own; derived
	trail      map[string][]uint64        // incident to the steps that touched it
	cursors    cursors
	ahead      numbers // messages of the event lane decided beyond its cursor

	forgotten uint64 // incidents dropped since the book was made

	closed  []aged // incidents, in order of closing
	expiry  []aged // idempotency keys, in order of time
	pending []aged // outbox entries, in order of expiry
}

type timerID struct{ incident, name string }

// done is what an idempotency key led to.
type done struct {
	At       int64     `json:"at"`
	Digest   string    `json:"digest"`
	Incident *Incident `json:"incident"`
}

// identity is one remembered message.
type identity struct {
	ID string `json:"id"`
	TS int64  `json:"ts,omitempty"`
	At int64  `json:"at"` // of its first receipt
}

// aged is an entry of a queue that forgets by time.
type aged struct {
	at int64
	id string
}

func newBook() *book {
	return &book{
		incidents: map[string]*Incident{}, answers: map[string]string{}, keysOf: map[string]string{},
		conditions: map[string]Condition{}, linked: map[string][]string{}, timers: map[timerID]int64{},
		outbox: map[string]OutboxEntry{}, commands: map[string]done{}, seen: map[string][]identity{},
		levels: map[string][]string{}, told: map[string]int64{}, trail: map[string][]uint64{},
		crowds: map[string]map[uint64]bool{}, strangers: map[string][]aged{},
	}
}

// apply folds step number n. It reads nothing but its arguments: no clock, no rules, no registry.
func (b *book) apply(n uint64, s *step) error {
	if n != b.step+1 {
		return fmt.Errorf("fold: step %d after %d", n, b.step)
	}
	if s.First != b.seq+1 {
		return fmt.Errorf("fold: step %d begins with transition %d after %d", n, s.First, b.seq)
	}
	b.step, b.seq, b.now = n, s.last(), max(b.now, s.Now)
	b.applyPlaces(s)
	for _, k := range s.Keys {
		b.answers[k.Key], b.keysOf[k.Incident] = k.Incident, k.Key
	}
	for _, t := range s.Transitions {
		b.applyTransition(n, t)
	}
	for _, c := range s.Conditions {
		b.applyCondition(c)
	}
	b.applyTimers(s)
	b.applyOutbox(s)
	b.applyInputs(s)
	b.applyLevels(s)
	b.applyStrangers(s)
	b.applyCommand(s)
	b.forget()
	return nil
}

// applyPlaces notes up to where the lanes were decided. Applied again with later places of the same step it gives the same.
func (b *book) applyPlaces(s *step) {
	b.cursors = s.Cursors
	b.ahead.join(s.Ahead)
	b.ahead.prune(s.Cursors.Event.N)
}

func (b *book) applyTransition(n uint64, t Transition) {
	id := t.Incident.ID
	if old, ok := b.incidents[id]; ok && old.Open() && !t.Incident.Open() || !ok && !t.Incident.Open() {
		b.closed = append(b.closed, aged{t.Incident.ClosedAt, id})
	}
	b.incidents[id] = t.Incident
	if t.Kind == KindRaised {
		b.noteStranger(t.Incident)
	}
	if trail := b.trail[id]; len(trail) == 0 || trail[len(trail)-1] != n {
		b.trail[id] = append(trail, n)
	}
}

func (b *book) applyCondition(c Condition) {
	key := c.key()
	if old, ok := b.conditions[key]; ok && (old.Incident != c.Incident || c.normal()) {
		b.unlink(old.Incident, key)
	}
	if c.normal() {
		if delete(b.conditions, key); c.Cause != "" {
			b.conditions[key] = c
		}
		return
	}
	b.conditions[key] = c
	if c.Incident != "" && !slices.Contains(b.linked[c.Incident], key) {
		b.linked[c.Incident] = append(b.linked[c.Incident], key)
	}
}

func (b *book) unlink(incident, key string) {
	rest := slices.DeleteFunc(b.linked[incident], func(k string) bool { return k == key })
	if len(rest) == 0 {
		delete(b.linked, incident)
		return
	}
	b.linked[incident] = rest
}

func (b *book) applyTimers(s *step) {
	for _, t := range s.Cleared {
		delete(b.timers, timerID{t.Incident, t.Name})
	}
	for _, t := range s.Set {
		b.timers[timerID{t.Incident, t.Name}] = t.DueAt
	}
}

func (b *book) applyOutbox(s *step) {
	for _, e := range s.Outbox {
		b.outbox[e.ID] = e
		b.pending = insertAged(b.pending, aged{e.Expires, e.ID})
	}
	for _, x := range s.Settled {
		delete(b.outbox, x.ID)
	}
}

func (b *book) applyInputs(s *step) {
	for _, in := range s.Inputs {
		if in.Identity == "" {
			continue
		}
		b.seen[in.Device] = remember(b.seen[in.Device], in, b.now)
	}
}

// remember adds an identity to a device's list, oldest first, and drops what is too old or too much.
func remember(list []identity, in input, now int64) []identity {
	list = append(list, identity{ID: in.Identity, TS: in.TS, At: cmp.Or(in.Received, now)})
	if over := len(list) - seenPerDevice; over > 0 {
		list = slices.Delete(list, 0, over)
	}
	for len(list) > 0 && list[0].At+seenFor <= now {
		list = list[1:]
	}
	return list
}

func (b *book) applyCommand(s *step) {
	if s.Command == nil || s.Command.Key == "" {
		return
	}
	b.commands[s.Command.Key] = done{At: b.now, Digest: s.Command.Digest, Incident: b.incidents[s.Command.Incident]}
	b.expiry = append(b.expiry, aged{b.now, s.Command.Key})
}

// forget drops what has had its time; the step's own now decides, so every fold forgets the same.
func (b *book) forget() {
	for len(b.closed) > 0 && b.closed[0].at+keep <= b.now {
		b.dropIncident(b.closed[0].id)
		b.closed = b.closed[1:]
	}
	for len(b.expiry) > 0 && b.expiry[0].at+keep <= b.now {
		if d := b.commands[b.expiry[0].id]; d.At+keep <= b.now {
			delete(b.commands, b.expiry[0].id)
		}
		b.expiry = b.expiry[1:]
	}
	for len(b.pending) > 0 && b.pending[0].at <= b.now {
		delete(b.outbox, b.pending[0].id)
		b.pending = b.pending[1:]
	}
}

func (b *book) dropIncident(id string) {
	key := b.keysOf[id]
	if b.answers[key] == id {
		delete(b.answers, key)
	}
	delete(b.keysOf, id)
	delete(b.incidents, id)
	delete(b.trail, id)
	delete(b.crowds, id)
	b.forgotten++
}

// insertAged keeps the queue ordered by time; entries come almost in order.
func insertAged(q []aged, a aged) []aged {
	at := len(q)
	for at > 0 && q[at-1].at > a.at {
		at--
	}
	return slices.Insert(q, at, a)
}

// openTimers lists the armed clocks in order of due time, incident and name.
func (b *book) openTimers() []timer {
	list := make([]timer, 0, len(b.timers))
	for id, due := range b.timers {
		list = append(list, timer{id.incident, id.name, due})
	}
	slices.SortFunc(list, compareTimers)
	return list
}

// sortedKeys is for everything that must come out the same each time.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
