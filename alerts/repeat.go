package alerts

import (
	"slices"
	"time"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// repeats are further messages that a call stands for: each came soon after the one before, so that they are one call with a
// count. The zero value is none.
type repeats struct {
	n      int
	last   int64    // receive time of the last, Unix ms
	causes []string // ids of the last ones
}

// message is one message of a share as the lane has it, but for the payload, which is that of the first.
func (p share) message(r arrival) journal.Entry {
	e := p.entry
	e.ID, e.ReceivedNS = r.id, r.receivedNS
	return e
}

// again is the same call in another message.
func (c call) again(r arrival) call {
	c.received, c.identities, c.event.TS = r.receivedNS/int64(time.Millisecond), nil, nil
	if r.timed {
		c.event.TS = &r.ts
	}
	c.message = messageID(journal.EventLane, r.id)
	c.identify(r.identity, r.also)
	c.effective, c.clockBad = c.received, false
	if c.readable {
		c.effective, c.clockBad = telemetry.EffectiveTime(c.event.TS, r.receivedNS)
	}
	return c
}

// single reports whether the share is the first message of its item and no other.
func (p share) single() bool { return len(p.reps) == 1 && p.reps[0].id == p.entry.ID }

// takeRun applies the rules to a call and to its repeats. The first is decided by itself, for it may open or bring back an
// incident. The others only count, until one comes so late that it calls anew.
func (x *draft) takeRun(v *verdict, p share, c call) {
	if p.single() {
		x.take(v, p.entry, c)
		return
	}
	pause := x.rules.shortestPause()
	var r run
	for _, rep := range p.reps {
		next := c.again(rep)
		if x.knows(next) {
			v.duplicates++
			continue
		}
		if !c.readable || !c.known {
			v.letter(p.message(rep), c.fault)
		}
		if r.alone() || next.received-r.last >= pause {
			x.flush(&r)
		}
		r.add(next, rep.id)
		for _, in := range next.inputs() {
			x.recall(in)
		}
	}
	x.flush(&r)
	x.step.Inputs = append(x.step.Inputs, r.known()...)
}

// run gathers calls that are decided as one, and the identities of all that came.
type run struct {
	call
	ids     []uint64 // of the gathered messages: the first and the last ones
	count   int
	last    int64 // Unix ms
	flushed int
	marks   []input
}

// alone reports whether what was gathered is the first call there was.
func (r *run) alone() bool { return r.flushed == 0 && r.count == 1 }

// add counts one in. The badges of a run are those of any of its calls, so the worst age and clock are kept.
func (r *run) add(c call, id uint64) {
	r.count++
	r.last = c.received
	if r.count == 1 {
		r.call = c
	} else {
		r.effective = min(r.effective, r.received-(c.received-c.effective))
		r.clockBad = r.clockBad || c.clockBad
	}
	if r.ids = append(r.ids, id); len(r.ids) > 1+maxCauses {
		r.ids = append(r.ids[:1], r.ids[2:]...)
	}
	if len(c.identities) == 0 {
		return
	}
	if r.marks = append(r.marks, c.inputs()...); len(r.marks) > 4*seenPerDevice {
		r.marks = append(r.marks[:0], r.marks[len(r.marks)-seenPerDevice:]...)
	}
}

// flush decides on what was gathered.
func (x *draft) flush(r *run) {
	if r.count == 0 {
		return
	}
	c := r.call
	c.more = repeats{n: r.count - 1, last: r.last}
	for _, id := range r.ids[1:] {
		c.more.causes = append(c.more.causes, messageID(journal.EventLane, id))
	}
	for _, rule := range x.rules.list {
		x.match(rule, c)
	}
	in := input{Message: c.message, Device: c.topic.Device}
	if r.count > 1 {
		in.To, in.N = messageID(journal.EventLane, r.ids[len(r.ids)-1]), r.count
	}
	x.step.Inputs = append(x.step.Inputs, in)
	r.flushed++
	r.count, r.ids = 0, r.ids[:0]
}

// known are the identities that the ledger has to remember: no more than it would.
func (r *run) known() []input { return r.marks[max(len(r.marks)-seenPerDevice, 0):] }

// seenOf gives the identities that are known of a device, with those of this step.
func (x *draft) seenOf(device string) []identity {
	if list, ok := x.seen[device]; ok {
		return list
	}
	return x.book.seen[device]
}

// recall makes this step know a call again.
func (x *draft) recall(in input) {
	if in.Identity == "" {
		return
	}
	device := in.Device
	if x.seen == nil {
		x.seen = map[string][]identity{}
	}
	list, ok := x.seen[device]
	if !ok {
		list = slices.Clone(x.book.seen[device])
	}
	x.seen[device] = remember(list, in, x.step.Now)
}

// causedBy adds the causes of repeats.
func (i *Incident) causedBy(more repeats) {
	for _, id := range more.causes {
		i.cause(id)
	}
}

// foldInto lets an occurrence that is like one of the same step stand for it: the incident after the step is the whole truth.
func (x *draft) foldInto(kind, text string, from State, after *Incident) bool {
	if kind != KindOccurrence {
		return false
	}
	var last *Transition
	for n := len(x.step.Transitions) - 1; n >= 0; n-- {
		t := &x.step.Transitions[n]
		if t.Incident.ID != after.ID {
			continue
		}
		if t.Kind != KindOccurrence || t.From != from || t.To != after.State {
			return false
		}
		if last == nil {
			last = t
		}
		if t.Text == text {
			last.Incident, x.moved[after.ID] = after, after
			return true
		}
	}
	return false
}

// receipted reports whether the step tells a device already that the call of an incident has arrived.
func (x *draft) receipted(incident, device string) bool {
	return x.folds && slices.ContainsFunc(x.step.Outbox, func(e OutboxEntry) bool {
		return e.Incident == incident && e.Device == device
	})
}

// shortestPause is how soon a press can be a second call, in ms.
func (r *Rules) shortestPause() int64 {
	pause := defaultRepeatAfter
	for _, x := range r.list {
		if x.Kind == ruleEvent && x.Priority == 1 {
			pause = min(pause, x.repeatAfter())
		}
	}
	return pause.Milliseconds()
}
