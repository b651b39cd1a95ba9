package alerts

import (
	"fmt"
	"slices"
	"time"

	"watchhouse/internal/strictyaml"
	"watchhouse/telemetry"
)

// checker holds a file while its invariants are tested.
type checker struct {
	source *strictyaml.Source
	file   ruleFile
}

// suppressOutOfService is the reason for which a rule may be silent; parents in an outage and closed sites come later.
const suppressOutOfService = "out_of_service"

// lifeClocks are the longest clocks an incident of priority 1 may have: goal 2 of the product, and the reason for the ladder.
// Shorter is allowed, longer or missing is not.
func lifeClocks() []escalation {
	return []escalation{
		{Name: "louder", After: 15 * time.Second},
		{Name: "l1", After: 30 * time.Second},
		{Name: "auto_dispatch", After: 60 * time.Second},
		{Name: "l3", After: 180 * time.Second},
	}
}

const (
	lifeProgress = 120 * time.Second
	lifeRemind   = 60 * time.Second // also what a file without it has
)

func (c *checker) check(r *Rules) {
	if c.file.Version != 1 {
		c.fault("$.version", fmt.Sprintf("want version 1, got %d", c.file.Version))
	}
	for i, x := range c.file.Rules {
		at := fmt.Sprintf("$.rules[%d]", i)
		if x == nil {
			c.fault(at, "want a rule")
			continue
		}
		if r.byID[x.ID] != nil {
			c.fault(at+".id", "id "+x.ID+" is used twice")
		}
		r.byID[x.ID] = x
		r.noteFireKinds(x)
		c.compile(at, x, r.watch)
		c.checkRule(at, x)
		c.checkWindow(at, x)
		c.checkLife(at, r, x)
	}
}

// checkWhole holds what the first file owes: what the engine itself raises, and the calls for help.
func (c *checker) checkWhole(r *Rules) {
	for _, id := range []string{manualRule, gapRule} {
		if r.byID[id] == nil {
			c.fault("$.rules", "rule "+id+" is missing: the engine raises it")
		}
	}
	if !c.source.Faulty() {
		c.checkCover(r)
	}
}

func (c *checker) checkClocks(r *Rules) {
	for p := Priority(1); p <= 4; p++ {
		x, ok := r.clocks[p]
		if !ok {
			c.fault("$.clocks", fmt.Sprintf("clocks of priority %d are missing", p))
		}
		if p > 1 && x.Remind != 0 {
			c.fault(fmt.Sprintf("$.clocks.%d.remind", p), wantLifeRemind)
		}
		c.checkLadder(fmt.Sprintf("$.clocks.%d", p), x)
	}
	for p := range r.clocks {
		if p < 1 || p > 4 {
			c.fault("$.clocks", fmt.Sprintf("priority %d: want 1 to 4", p))
		}
	}
	if life, ok := r.clocks[1]; ok {
		c.checkLifeClocks("$.clocks.1", life)
	}
}

func (c *checker) checkLadder(at string, x clocks) {
	for i, e := range x.Escalation {
		here := fmt.Sprintf("%s.escalation[%d]", at, i)
		switch {
		case e.Name == "" || slices.Contains([]string{clockProgress, clockRemind, clockReview, clockClose}, e.Name):
			c.fault(here, "want a name that no other clock has")
		case e.After <= 0:
			c.fault(here, "after: want a positive duration")
		case e.Until != "" && e.Until != string(StateAcknowledged) && e.Until != untilRecovered:
			c.fault(here, "until: want acknowledged or recovered")
		case e.RaiseTo < 0 || e.RaiseTo > 4:
			c.fault(here, "raise_to: want 1 to 4")
		}
	}
	for _, d := range []time.Duration{x.Remind, x.Progress, x.Review, x.Close, x.CloseRecovered} {
		if d < 0 {
			c.fault(at, "a clock runs backwards")
		}
	}
}

// checkLifeClocks is the invariant that a P1 always escalates, and in time.
func (c *checker) checkLifeClocks(at string, x clocks) {
	for _, want := range lifeClocks() {
		got, ok := x.step(want.Name)
		if !ok || got.After > want.After {
			c.fault(at+".escalation", fmt.Sprintf("priority 1 needs %s within %s", want.Name, want.After))
		}
	}
	if x.Progress <= 0 || x.Progress > lifeProgress {
		c.fault(at+".progress", fmt.Sprintf("priority 1 needs progress within %s", lifeProgress))
	}
	if x.Remind > lifeRemind {
		c.fault(at+".remind", fmt.Sprintf("priority 1 needs remind within %s", lifeRemind))
	}
	if x.Close != 0 || x.CloseRecovered != 0 {
		c.fault(at, "priority 1 never closes itself")
	}
}

const wantLifeRemind = "only priority 1 is reminded of"

// validRuleID accepts capital letters, digits and single dashes between them, a letter first.
func validRuleID(s string) bool {
	for i, r := range s {
		capital, digit := r >= 'A' && r <= 'Z', r >= '0' && r <= '9'
		switch {
		case capital, digit && i > 0:
		case r == '-' && i > 0 && i < len(s)-1 && s[i-1] != '-':
		default:
			return false
		}
	}
	return s != ""
}

func (c *checker) checkRule(at string, r *rule) {
	if !validRuleID(r.ID) {
		c.fault(at+".id", "want an id like EB-SOS")
	}
	if !slices.Contains([]string{ruleEvent, ruleFlag, ruleAbsence, ruleWindow, ruleSystem, ruleManual}, r.Kind) {
		c.fault(at+".kind", "want event, flag, absence, window, system or manual")
	}
	for _, k := range r.Scope {
		if !k.Valid() {
			c.fault(at+".scope", fmt.Sprintf("%q is no kind of device", k))
		}
	}
	for _, s := range r.SuppressWhen {
		if s != suppressOutOfService {
			c.fault(at+".suppress_when", fmt.Sprintf("%q: want %s", s, suppressOutOfService))
		}
	}
	for _, d := range []*time.Duration{r.RepeatAfter, r.DelayedAfter, r.Recurrence} {
		if d != nil && *d < 0 {
			c.fault(at, "repeat_after, delayed_after, recurrence: want no negative duration")
		}
	}
	c.checkLadder(at, r.Own)
	if r.Kind != ruleFlag {
		c.checkRaising(at, r)
	}
}

// checkRaising holds what every rule that makes incidents needs.
func (c *checker) checkRaising(at string, r *rule) {
	if r.Priority < 1 || r.Priority > 4 {
		c.fault(at+".priority", "want 1 to 4")
	}
	if !slices.Contains([]Class{"person", "duress", "fire", "duty", "sanitation", "tech"}, r.Class) {
		c.fault(at+".class", "want person, duress, fire, duty, sanitation or tech")
	}
	if r.Response == "" {
		c.fault(at+".response", "every rule says what the operator should do")
	}
	if r.AutoClear != (r.Kind == ruleAbsence || r.Kind == ruleWindow && !r.Latch) {
		c.fault(at+".auto_clear", "absence rules, and window rules that are not latched, clear themselves, others never")
	}
	if r.Receipt != "" && !slices.Contains([]string{"received", "coming", "cancelled"}, r.Receipt) {
		c.fault(at+".receipt", "want received, coming or cancelled")
	}
}

// checkLife holds the exemptions of priority 1.
func (c *checker) checkLife(at string, rs *Rules, r *rule) {
	if r.Kind == ruleFlag {
		return
	}
	for i, e := range r.Own.Escalation {
		if e.RaiseTo == 1 {
			c.fault(fmt.Sprintf("%s.escalation[%d]", at, i), "raise_to: only a message or a person makes an incident priority 1")
		}
	}
	if r.Priority != 1 {
		if r.Own.Remind != 0 {
			c.fault(at+".remind", wantLifeRemind)
		}
		return
	}
	switch {
	case r.Kind == ruleAbsence:
		c.fault(at+".priority", "silence is never priority 1: lag would delay it")
	case r.AutoClear:
		c.fault(at+".auto_clear", "priority 1 is never cleared by a machine")
	case !r.Latch:
		c.fault(at+".latch", "priority 1 must be latched")
	case r.Shelvable:
		c.fault(at+".shelvable", "priority 1 is never shelved")
	case len(r.SuppressWhen) > 0:
		c.fault(at+".suppress_when", "priority 1 is never suppressed")
	}
	if r.Own.Escalation != nil || r.Own.Remind != 0 || r.Own.Progress != 0 || r.Own.Close != 0 || r.Own.CloseRecovered != 0 {
		c.checkLifeClocks(at, rs.clocksOf(r.ID, 1))
	}
}

// checkCover makes sure that no edit can take away a call for help: these messages must raise priority 1 under any rules.
func (c *checker) checkCover(r *Rules) {
	button, house := telemetry.EmergencyButton, telemetry.SafetyHouse
	for _, must := range []struct {
		what string
		env  eventEnv
	}{
		{"sos from an emergency button", eventEnv{Kind: string(button), Type: "sos", Readable: true, Known: true, Registered: true}},
		{"an unknown event from an emergency button", eventEnv{Kind: string(button), Type: "help", Readable: true, Registered: true}},
		{"an unreadable event from an emergency button", eventEnv{Kind: string(button), Registered: true}},
		{"sos from an unregistered device", eventEnv{Type: "sos", Readable: true, Known: true}},
		{"an unreadable event from an unregistered device", eventEnv{}},
		{"panic from a safety house", eventEnv{Kind: string(house), Type: "panic", Readable: true, Known: true, Registered: true}},
		{"duress from a safety house", eventEnv{Kind: string(house), Type: "duress", Readable: true, Known: true, Registered: true}},
	} {
		if !r.raisesLife(must.env) {
			c.fault("$.rules", "no rule of priority 1 covers "+must.what)
		}
	}
}

func (r *Rules) raisesLife(env eventEnv) bool {
	for _, x := range r.list {
		if x.Kind == ruleEvent && x.Priority == 1 && x.applies(telemetry.Kind(env.Kind)) && x.fires(env) {
			return true
		}
	}
	return false
}
