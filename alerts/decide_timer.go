package alerts

import (
	"slices"
)

// staleAfter is how late a clock below priority 1 may fire; what is later is recorded as skipped: it is for review, not an
// alarm.
const staleAfter = keep

// maxSupervise is the highest level of supervision.
const maxSupervise = 3

// decideTimers gives the step for the clocks of one incident that are due at now, nil when there are none. Due times are
// never rebased: what fell due while the hub was down fires at once.
func (d *decider) decideTimers(b *book, p places, incident string, nowMS int64, cur cursors) *step {
	x := d.draft(b, p, causeTimer, nowMS)
	// A lapse arms the ladder again from its own due time, so one pass may make another necessary.
	for range 8 {
		was, ok := x.incident(incident)
		if !ok || !was.Open() {
			break
		}
		due := dueOf(was, x.step.Now)
		if len(due) == 0 {
			break
		}
		x.fireDue(was, due)
	}
	return x.finish(cur)
}

func dueOf(i *Incident, now int64) []Deadline {
	var due []Deadline
	for _, d := range i.Deadlines {
		if d.DueAt <= now {
			due = append(due, d)
		}
	}
	return due
}

// fireDue fires the due clocks of an incident in order; a step that a later due one supersedes is recorded as skipped.
func (x *draft) fireDue(was *Incident, due []Deadline) {
	c := x.rules.clocksOf(was.Rule, was.Priority)
	superseded := map[string]bool{}
	for _, d := range due {
		e, _ := c.step(d.Name)
		for _, name := range e.Supersedes {
			superseded[name] = true
		}
	}
	for _, d := range due {
		i, ok := x.incident(was.ID)
		if !ok || !slices.Contains(i.Deadlines, d) {
			continue // an earlier one of this pass has stopped it
		}
		late := x.step.Now - d.DueAt
		skip := superseded[d.Name] || i.Priority != 1 && late > staleAfter && d.Name != clockClose
		x.step.Fired = append(x.step.Fired, firing{timer{i.ID, d.Name, d.DueAt}, late, skip})
		x.fire(i, d, c, skip)
	}
}

// fire lets one clock run out.
func (x *draft) fire(was *Incident, d Deadline, c clocks, skip bool) {
	i := was.clone()
	i.disarm(d.Name)
	switch {
	case skip:
		x.emit(KindSkipped, engineActor, d.Name, was.State, i)
	case d.Name == clockProgress:
		x.lapse(was, i, d.DueAt)
	case d.Name == clockRemind:
		x.armRemind(i, d.DueAt)
		x.emit(KindEscalated, engineActor, d.Name, was.State, i)
	case d.Name == clockClose:
		x.autoClose(was, i)
	default:
		x.escalate(was, i, d, c)
	}
}

// lapse takes back an acknowledgement that led to nothing in time.
func (x *draft) lapse(was, i *Incident, due int64) {
	i.Supervise = min(i.Supervise+1, maxSupervise)
	text := i.AcknowledgedBy
	unacknowledge(i)
	x.rearmKeeping(i, due)
	x.emit(KindLapsed, engineActor, text, was.State, i)
	x.eachCondition(i.ID, func(c *Condition) { c.Acked = false })
}

// rearmKeeping starts the ladder again but leaves the clocks that run until recovery where they are.
func (x *draft) rearmKeeping(i *Incident, base int64) {
	i.disarm(clockRemind)
	for _, e := range x.rules.clocksOf(i.Rule, i.Priority).Escalation {
		if e.Until != untilRecovered {
			i.arm(e.Name, base+e.After.Milliseconds())
		}
	}
}

// autoClose ends what nobody needs to look at again. What is still going on comes back instead: silence is never filed away.
func (x *draft) autoClose(was, i *Incident) {
	i.Version++
	if i.Active {
		unacknowledge(i)
		i.ResolvedAt, i.ResolvedBy, i.Disposition = 0, "", ""
		x.armLadder(i, x.step.Now)
		x.emit(KindReopened, engineActor, "still active", was.State, i)
		x.eachCondition(i.ID, func(c *Condition) { c.Acked = false })
		return
	}
	x.close(was, i, engineActor, "")
}

// close is the end of an incident and of what its conditions remember.
func (x *draft) close(was, i *Incident, actor, text string) {
	i.State = StateClosed
	i.ClosedAt = x.step.Now
	i.Deadlines = i.Deadlines[:0]
	x.emit(KindClosed, actor, text, was.State, i)
	x.eachCondition(i.ID, func(c *Condition) { c.Acked, c.Latched = true, false })
}

// escalate records a step of the ladder and raises the priority where the step says so.
func (x *draft) escalate(was, i *Incident, d Deadline, c clocks) {
	if e, ok := c.step(d.Name); ok && e.RaiseTo != 0 && e.RaiseTo < i.Priority {
		i.Priority = e.RaiseTo
		i.Order = false // it is late, and an alarm like others from now on
	}
	if i.Priority == 1 && i.State == StateNew && ladderDone(i, c) {
		x.armRemind(i, d.DueAt)
	}
	x.emit(KindEscalated, engineActor, d.Name, was.State, i)
}
