package alerts

import (
	"fmt"
	"runtime/debug"
)

// attempt makes a decision and contains its panic: one input must stop neither the others nor the hub.
func attempt(decide func() *step) (s *step, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, fmt.Errorf("decision panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return decide(), nil
}

// mishap is an input that cannot be decided on.
type mishap struct {
	what  string         // message, command, clock, …: each kind has one incident
	id    string         // of the input, for the log
	text  string         // for the timeline; nothing of a payload, nobody's name
	clear func(x *draft) // puts right what would make the same input come again
	once  [2]string      // a device and what about it, where nothing can be cleared: not raised again until a person has resolved it
}

// failed raises what a decision leaves that panicked, and clears its input in the same step. Should that fail as well the log
// has to do.
func (e *Engine) failed(g *group, f mishap, cause error) error {
	e.ports.log.Error("decision failed", "kind", f.what, "input", f.id, "err", cause)
	e.counters.gaps.Add(1)
	s, err := attempt(func() *step { return e.decideFault(e.book, e.ports.world(), f, e.nowMS(), e.cursors()) })
	if err != nil {
		e.ports.log.Error("failed decision cannot be raised", "kind", f.what, "input", f.id, "err", err)
		return nil
	}
	return e.add(g, s)
}

// decideFault raises a failed decision.
func (d *decider) decideFault(b *book, p places, f mishap, nowMS int64, cur cursors) *step {
	x := d.draft(b, p, causeFault, nowMS)
	known := Condition{Rule: faultRule, Device: f.once[0], Component: f.once[1], Active: true, Latched: true, Since: x.step.Now}
	if c, ok := b.conditions[known.key()]; ok && c.Active && f.once[1] != "" {
		return nil
	}
	if f.clear != nil {
		f.clear(x)
	}
	r := d.rules.byID[faultRule]
	if r == nil { // a rule file of before
		r = d.rules.byID[gapRule]
	}
	if r != nil {
		i := x.raise(r, signal{at: x.step.Now, text: f.text, key: r.ID + ":" + f.what})
		if known.Incident = i.ID; f.once[1] != "" {
			x.setCondition(known)
		}
	}
	return x.finish(cur)
}

// disarm clears the due clocks of an incident, as skipped.
func (x *draft) disarmDue(incident string) {
	was, ok := x.incident(incident)
	if !ok || !was.Open() {
		return
	}
	for _, d := range dueOf(was, x.step.Now) {
		i := was.clone()
		i.disarm(d.Name)
		x.step.Fired = append(x.step.Fired, firing{timer{i.ID, d.Name, d.DueAt}, x.step.Now - d.DueAt, true})
		x.emit(KindSkipped, engineActor, d.Name, was.State, i)
		was = i
	}
}

// settleCondition makes the ledger hold what a finding or a silence said, without an incident, so that it is not said again.
func (x *draft) settleCondition(rule, device, component, cause string, active bool) {
	c, ok := x.condition(conditionKey(rule, device, component))
	if !ok {
		c = Condition{Rule: rule, Device: device, Component: component, Since: x.step.Now}
	}
	c.Active, c.Acked = active, true
	if cause != "" {
		c.Cause = cause
	}
	x.setCondition(c)
}

// unfound is a finding that cannot be decided on. The ledger holds from now on what it says, and knows it by its identity.
func unfound(f finding) mishap {
	return mishap{
		what: "finding", id: conditionKey(f.Rule, f.Device, f.Component),
		text: fmt.Sprintf("rule %s of %s cannot be decided, message %s", f.Rule, f.Device, f.Cause),
		clear: func(x *draft) {
			x.settleCondition(f.Rule, f.Device, f.Component, f.Cause, f.Up)
			x.step.Inputs = []input{{Message: f.Cause, Device: f.Device, Identity: f.identity()}}
		},
	}
}

// unsilenced is a silence, or its end, that cannot be decided on.
func unsilenced(s silence) mishap {
	return mishap{
		what: "silence", id: conditionKey(s.rule.ID, s.device.ID, ""),
		text:  fmt.Sprintf("rule %s of %s cannot be decided", s.rule.ID, s.device.ID),
		clear: func(x *draft) { x.settleCondition(s.rule.ID, s.device.ID, "", "", !s.back) },
	}
}

// unseen is a device whose silence cannot be judged.
func unseen(l look) mishap {
	return mishap{
		what: "silence", id: conditionKey(l.rule, l.device, ""), once: [2]string{l.device, l.rule},
		text: fmt.Sprintf("silence of %s cannot be judged by rule %s", l.device, l.rule),
	}
}

// unregistered is a device of which nobody can tell whether it has left the registry. Its states are forgotten: one that goes on
// is raised once more.
func unregistered(device string) mishap {
	return mishap{
		what: "registry", id: device, text: fmt.Sprintf("change of the registry cannot be applied to %s", device),
		clear: func(x *draft) { x.endLevels(device) },
	}
}
