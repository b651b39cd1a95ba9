package alerts

import "slices"

// An incident of priority 1 is never without a clock before it is resolved. When its ladder has ended and nobody has come, it
// reminds; an acknowledgement stops that and starts the clock of its progress, whose lapse starts the ladder again.

// Reminders keep coming as long as nobody does, but less often when an hour's worth of them, and a day's, has led to nothing: each is a
// step of the ledger, and one that was forgotten for a week must not fill it.
const (
	remindSlower, slower   = 60, 10   // after so many intervals, so many times as long
	remindSlowest, slowest = 1440, 60 // intervals
)

// keepAwake holds what was said above, whatever way the incident took.
func (x *draft) keepAwake(i *Incident) {
	if i.Priority == 1 && i.Open() && i.State != StateResolved && len(i.Deadlines) == 0 {
		x.armRemind(i, x.step.Now)
	}
}

// armRemind sets the next reminder, a whole number of intervals after base. Those that fell due while the hub was down are one.
func (x *draft) armRemind(i *Incident, base int64) {
	every := x.rules.clocksOf(i.Rule, i.Priority).Remind.Milliseconds()
	switch waited := (x.step.Now - i.LastAt) / every; {
	case waited >= remindSlowest:
		every *= slowest
	case waited >= remindSlower:
		every *= slower
	}
	missed := max(x.step.Now-base, 0) / every
	i.arm(clockRemind, base+(missed+1)*every)
}

// ladderDone reports whether no step is to come that waits for a person.
func ladderDone(i *Incident, c clocks) bool {
	return !slices.ContainsFunc(i.Deadlines, func(d Deadline) bool {
		e, ok := c.step(d.Name)
		return ok && e.Until != untilRecovered
	})
}
