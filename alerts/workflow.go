package alerts

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// state refuses a command because of where the incident stands.
func stateConflict(i *Incident) error { return &ConflictError{i, "state: " + string(i.State)} }

// acknowledge claims an incident: the first wins. Claiming one's own again changes nothing; on one that has recovered it
// only records who has seen it.
func (x *draft) acknowledge(was *Incident, c Command) (*Incident, error) {
	if was.AcknowledgedBy == c.Actor && (was.State == StateAcknowledged || was.State == StateRecovered) {
		return was, nil
	}
	if was.State != StateNew && (was.State != StateRecovered || was.AcknowledgedBy != "") {
		return nil, stateConflict(was)
	}
	i := was.clone()
	i.Version++
	i.AcknowledgedAt, i.AcknowledgedBy = x.step.Now, c.Actor
	if was.State == StateNew {
		i.State = StateAcknowledged
		x.promise(i)
	}
	x.emit(KindAcknowledged, c.Actor, c.Text, was.State, i)
	x.eachCondition(i.ID, func(k *Condition) { k.Acked = true })
	return i, nil
}

// promise stops what called for a person and starts the clock that asks whether the person got anywhere.
func (x *draft) promise(i *Incident) {
	x.stopUntilAcknowledged(i)
	if p := x.rules.clocksOf(i.Rule, i.Priority).Progress; p > 0 {
		i.arm(clockProgress, x.step.Now+p.Milliseconds())
	}
}

// unacknowledge gives an incident back to the queue; its ladder starts again from now.
func (x *draft) unacknowledge(was *Incident, c Command) (*Incident, error) {
	if was.State != StateAcknowledged {
		return nil, stateConflict(was)
	}
	i := was.clone()
	i.Version++
	unacknowledge(i)
	i.disarm(clockProgress)
	x.rearmKeeping(i, x.step.Now)
	x.emit(KindUnacknowledged, c.Actor, c.Text, was.State, i)
	x.eachCondition(i.ID, func(k *Condition) { k.Acked = false })
	return i, nil
}

// resolve records how the need was met. It resets what was latched.
func (x *draft) resolve(was *Incident, c Command) (*Incident, error) {
	from := []State{StateAcknowledged, StateVerifying, StateOnScene, StateRecovered}
	if !slices.Contains(from, was.State) {
		return nil, stateConflict(was)
	}
	if was.Priority == 1 {
		if c.Disposition == "" {
			return nil, &InvalidError{"disposition", strings.Join(Dispositions(), ", ")}
		}
		if utf8.RuneCountInString(strings.TrimSpace(c.Text)) < minReason {
			return nil, &InvalidError{"text", "at least 4 characters on how it was resolved"}
		}
	}
	i := was.clone()
	i.Version++
	i.State = StateResolved
	i.ResolvedAt, i.ResolvedBy, i.Disposition = x.step.Now, c.Actor, c.Disposition
	clocks := x.rules.clocksOf(i.Rule, i.Priority)
	only(i, clockReview, x.step.Now, clocks.Review)
	if clocks.Close > 0 {
		i.arm(clockClose, x.step.Now+clocks.Close.Milliseconds())
	}
	i.Active = x.resetLatched(i.ID)
	x.emit(KindResolved, c.Actor, c.Text, was.State, i)
	return i, nil
}

// resetLatched clears the conditions that only a person can clear, and reports whether another still holds.
func (x *draft) resetLatched(incident string) (active bool) {
	x.eachCondition(incident, func(c *Condition) {
		if c.Latched {
			c.Active, c.Latched = false, false
		}
		c.Acked = true
		active = active || c.Active
	})
	return active
}

// closeByHand ends the loop: the one who resolved a P1 or P2 does not review himself. What still goes on cannot be closed.
func (x *draft) closeByHand(was *Incident, c Command) (*Incident, error) {
	switch {
	case was.State != StateResolved && was.State != StateRecovered:
		return nil, stateConflict(was)
	case was.State == StateResolved && was.Priority <= 2 && was.ResolvedBy == c.Actor:
		return nil, &ConflictError{was, "resolved by reviewer"}
	case was.Active:
		return nil, &ConflictError{was, "state: still active"}
	}
	i := was.clone()
	i.Version++
	x.close(was, i, c.Actor, c.Text)
	return i, nil
}

// reopen sends a resolved incident back; who does so takes it on.
func (x *draft) reopen(was *Incident, c Command) (*Incident, error) {
	if was.State != StateResolved {
		return nil, stateConflict(was)
	}
	i := was.clone()
	i.Version++
	i.State = StateAcknowledged
	i.AcknowledgedAt, i.AcknowledgedBy = x.step.Now, c.Actor
	i.ResolvedAt, i.ResolvedBy, i.Disposition = 0, "", ""
	i.Deadlines = i.Deadlines[:0]
	x.promise(i)
	x.emit(KindReopened, c.Actor, c.Text, was.State, i)
	return i, nil
}
