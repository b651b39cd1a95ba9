package alerts

import (
	"time"

	"watchhouse/registry"
)

// decideFindings gives one step for several findings of the watch, nil when none changes anything. What it decides by is
// whether the condition is active in the ledger, so a finding that is told twice is decided once.
func (d *decider) decideFindings(b *book, p places, list []finding, nowMS int64, cur cursors) *step {
	x := d.draft(b, p, causeWindow, nowMS)
	for _, f := range list {
		x.find(f)
	}
	return x.finish(cur)
}

func (x *draft) find(f finding) {
	c, ok := x.condition(conditionKey(f.Rule, f.Device, f.Component))
	r := x.rules.byID[f.Rule]
	switch active := ok && c.Active; {
	case !f.Up && active && !c.Latched:
		x.recover(c, f.Text)
	case !f.Up || r == nil, !r.Latch && active, r.Latch && x.knowsFinding(f):
	default:
		x.raiseFinding(r, f)
	}
}

// raiseFinding opens what the rule makes: an alarm, an order or a record. The identity of what is latched goes into the step.
func (x *draft) raiseFinding(r *rule, f finding) {
	device, _ := x.places.Device(f.Device)
	s := signal{
		device: f.Device, component: f.Component, area: device.Area, person: device.Person, at: f.At, cause: f.Cause, text: f.Text,
	}
	if time.Duration(f.Late)*time.Millisecond > r.delayedAfter() {
		s.badges = append(s.badges, BadgeDelayed)
	}
	var contact registry.Contact
	if r.Annunciate == annunciateOrder {
		contact, _ = x.places.Contact(r.Order.Duty, device.Area)
		s.contact = contact.ID
	}
	i := x.raise(r, s)
	in := input{Message: f.Cause, Device: f.Device}
	if r.Latch { // the others are decided by Condition.Active and take no room from calls
		in.Identity = f.identity()
	}
	x.step.Inputs = append(x.step.Inputs, in)
	switch {
	case r.Annunciate == annunciateLog:
		x.record(i)
	case i.Order && i.Occurrences == 1 && contact.Webhook != "":
		x.order(r, i)
	}
}

// knowsFinding reports whether the ledger, or this step, has counted the cause of a latched rule before. The last cause is in the
// condition for good: a level that never ends is told after every start.
func (x *draft) knowsFinding(f finding) bool {
	if c, ok := x.condition(conditionKey(f.Rule, f.Device, f.Component)); ok && f.Cause != "" && c.Cause == f.Cause {
		return true
	}
	id := f.identity()
	for _, s := range x.book.seen[f.Device] {
		if s.ID == id {
			return true
		}
	}
	for _, in := range x.step.Inputs {
		if in.Device == f.Device && in.Identity == id {
			return true
		}
	}
	return false
}

// record ends an incident that is for the books only, in the step that made it.
func (x *draft) record(was *Incident) {
	if !was.Open() {
		return
	}
	i := was.clone()
	i.Version++
	i.Active = false
	x.close(was, i, engineActor, "for the record")
}
