package alerts

import "time"

// signal is one reason to raise a rule: a message, a silence, a gap, a person.
type signal struct {
	device, area, person string
	component            string // of the device, "" = the whole
	contact              string // of an order
	at                   int64  // receive time, Unix ms
	cause                string // id of the message, "" = none
	actor, text          string
	badges               []string
	priority             Priority // 0 = the rule's
	key                  string   // "" = the rule's for the device
	via, stranger        string   // of a device that is not registered: who brought it, and its id where it is one of many
	more                 repeats  // that the signal stands for beside the first
}

// receiptFor is how long a device may be told that its call has arrived.
const receiptFor = time.Minute

// raise opens an incident or lets the one that answers for the same need know. It gives the incident after.
func (x *draft) raise(r *rule, s signal) *Incident {
	if s.actor == "" {
		s.actor = engineActor
	}
	if s.key == "" {
		s.key = r.key(s.device, s.component)
	}
	if r.Class == classFire && x.confirmed(r, s) {
		s.badges = append(s.badges, BadgeConfirmed)
	}
	was, ok := x.answering(s.key)
	var now *Incident
	switch {
	case !ok:
		now = x.open(r, s, nil)
	case !was.Open():
		now = x.open(r, s, was)
	case was.State == StateResolved:
		now = x.again(r, s, was, KindReopened)
	case was.State == StateRecovered:
		now = x.again(r, s, was, KindReactivated)
	default:
		now = x.occurrence(r, s, was)
	}
	c := Condition{
		Rule: r.ID, Device: s.device, Component: s.component, Incident: now.ID, Active: true, Latched: r.Latch,
		Acked: now.State != StateNew, Since: x.since(r, s),
	}
	if r.Kind == ruleWindow && r.Latch {
		c.Cause = s.cause
	}
	x.setCondition(c)
	return now
}

// since keeps the time a condition began while it goes on.
func (x *draft) since(r *rule, s signal) int64 {
	if c, ok := x.condition(conditionKey(r.ID, s.device, s.component)); ok && c.Active {
		return c.Since
	}
	return s.at
}

// open makes a new incident; before is the closed one of the same key, if any.
func (x *draft) open(r *rule, s signal, before *Incident) *Incident {
	i := &Incident{
		ID: incidentID(x.epoch, x.step.Now, x.next()), Version: 1, Priority: r.Priority, Class: r.Class, State: StateNew,
		Rule: r.ID, Device: s.device, Component: s.component, Area: s.area, Person: s.person, Active: true, Occurrences: 1 + s.more.n,
		RaisedAt: s.at, LastAt: max(s.at, s.more.last), Response: r.Response, Order: r.Annunciate == annunciateOrder, Contact: s.contact,
		Via: s.via, Deadlines: []Deadline{}, Assignments: []Assignment{}, Badges: []string{}, Causes: []string{},
	}
	x.meet(i, s)
	if s.priority != 0 {
		i.Priority = s.priority
	}
	i.cause(s.cause)
	i.causedBy(s.more)
	i.badge(r.Badges...)
	i.badge(s.badges...)
	if before != nil && s.at-before.ClosedAt <= r.recurrence().Milliseconds() {
		i.Previous = before.ID
		i.badge(BadgeRecurrence)
	}
	x.armLadder(i, s.at)
	x.step.Keys = append(x.step.Keys, openKey{s.key, i.ID})
	x.emit(KindRaised, s.actor, s.text, "", i)
	return i
}

// again brings back an incident that was resolved or had recovered: it calls for attention as if new. A machine does not
// make the promise of an acknowledgement on anybody's behalf.
func (x *draft) again(r *rule, s signal, was *Incident, kind string) *Incident {
	i := x.noteSignal(r, s, was)
	i.Version++
	i.Active = true
	unacknowledge(i)
	i.ResolvedAt, i.ResolvedBy, i.Disposition = 0, "", ""
	if i.Priority == 1 {
		i.badge(BadgeRepeat)
	}
	x.armLadder(i, s.at)
	x.emit(kind, s.actor, s.text, was.State, i)
	x.eachCondition(i.ID, func(c *Condition) { c.Acked = false })
	return i
}

// occurrence adds to an incident that is open. One that comes long enough after the last press is a second call: it gets the
// badge and takes back an acknowledgement that has led to nothing yet. The version stays: the person is still the same need,
// and an operator's half-written resolution is refused by the state, not by the number.
func (x *draft) occurrence(r *rule, s signal, was *Incident) *Incident {
	i := x.noteSignal(r, s, was)
	i.Active = true
	if r.Priority == 1 && s.at-was.LastAt >= r.repeatAfter().Milliseconds() {
		i.badge(BadgeRepeat)
		switch was.State {
		case StateAcknowledged, StateVerifying:
			unacknowledge(i)
			x.armLadder(i, s.at)
		case StateNew:
			x.armFired(i, s.at)
		}
	}
	x.emit(KindOccurrence, s.actor, s.text, was.State, i)
	if i.State != was.State {
		x.eachCondition(i.ID, func(c *Condition) { c.Acked = false })
	}
	return i
}

// noteSignal copies an incident and counts the signal in.
func (x *draft) noteSignal(r *rule, s signal, was *Incident) *Incident {
	i := was.clone()
	x.meet(i, s)
	i.Occurrences += 1 + s.more.n
	i.LastAt = max(i.LastAt, s.at, s.more.last)
	i.cause(s.cause)
	i.causedBy(s.more)
	i.badge(r.Badges...)
	i.badge(s.badges...)
	if r.Priority < i.Priority {
		i.Priority = r.Priority
		x.armLadder(i, s.at)
	}
	return i
}

// unacknowledge puts an incident back in the queue.
func unacknowledge(i *Incident) {
	i.State = StateNew
	i.AcknowledgedAt, i.AcknowledgedBy = 0, ""
}
