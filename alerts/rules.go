package alerts

import (
	"cmp"
	"slices"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// Rule kinds.
const (
	ruleEvent   = "event"   // a message of the event lane raises it
	ruleFlag    = "flag"    // a message of the event lane marks an open incident of the same dedupe key
	ruleAbsence = "absence" // silence raises it, messages clear it
	ruleWindow  = "window"  // what a device has measured and sent in a while raises and clears it
	ruleSystem  = "system"  // the engine raises it about itself
	ruleManual  = "manual"  // a person raises it
)

// Ids the engine itself refers to.
const (
	manualRule = "MANUAL"
	gapRule    = "SYS-JOURNAL-GAP"
	faultRule  = "SYS-PANIC"
)

// Rules are a loaded and checked rule file. They are immutable and safe for concurrent use.
type Rules struct {
	hash   string
	list   []*rule
	byID   map[string]*rule
	clocks map[Priority]clocks
	watch  *watchSpec

	fireKinds map[telemetry.Kind]bool // kinds that rules of class fire are about
}

// Hash identifies the source the rules were read from.
func (r *Rules) Hash() string { return r.hash }

// rule is one entry of the file.
type rule struct {
	ID           string           `yaml:"id"`
	Title        catalog.Title    `yaml:"title"`
	Kind         string           `yaml:"kind"`
	Scope        []telemetry.Kind `yaml:"scope"` // device kinds; none = any
	Raise        string           `yaml:"raise"`
	SilentAfter  string           `yaml:"silent_after"` // seconds
	Clear        string           `yaml:"clear"`
	Class        Class            `yaml:"class"`
	Priority     Priority         `yaml:"priority"`
	Latch        bool             `yaml:"latch"`
	AutoClear    bool             `yaml:"auto_clear"`
	Shelvable    bool             `yaml:"shelvable"`
	SuppressWhen []string         `yaml:"suppress_when"`
	Dedupe       string           `yaml:"dedupe"` // rules of the same word share one incident per device; "" = the rule's id
	Badges       []string         `yaml:"badges"`
	Receipt      string           `yaml:"receipt"`       // stage told to the device
	RepeatAfter  *time.Duration   `yaml:"repeat_after"`  // a press this long after the last calls for attention again
	DelayedAfter *time.Duration   `yaml:"delayed_after"` // an event older than this gets the badge
	Recurrence   *time.Duration   `yaml:"recurrence"`    // raised again this soon after closing: linked to the one before
	Each         []string         `yaml:"each"`          // streams; the rule stands for one of each, {stream} in its expressions is the name
	OnDelay      time.Duration    `yaml:"on_delay"`      // how long raise must hold
	OffDelay     time.Duration    `yaml:"off_delay"`     // how long clear must hold
	MaxInputAge  time.Duration    `yaml:"max_input_age"` // a reading older than this is none; 0 = three report intervals, an hour at least
	Annunciate   string           `yaml:"annunciate"`    // alarm (default), order or log
	Order        *order           `yaml:"order"`         // of an order
	Response     string           `yaml:"response"`
	ResponseEN   string           `yaml:"response_en"` // what a contact is told beside it
	Consequence  string           `yaml:"consequence"`
	Owner        string           `yaml:"owner"`
	Own          clocks           `yaml:",inline"` // in place of the priority's

	raise, silentAfter, clear *vm.Program
}

// clocks of a priority, or of a rule where it sets its own.
type clocks struct {
	Escalation     []escalation  `yaml:"escalation"`
	Remind         time.Duration `yaml:"remind"` // of priority 1 only
	Progress       time.Duration `yaml:"progress"`
	Review         time.Duration `yaml:"review"`
	Close          time.Duration `yaml:"close"`
	CloseRecovered time.Duration `yaml:"close_recovered"`
}

// escalation is one step of the ladder.
type escalation struct {
	Name       string        `yaml:"name"`
	After      time.Duration `yaml:"after"`
	Until      string        `yaml:"until"` // acknowledged (default) or recovered
	RaiseTo    Priority      `yaml:"raise_to"`
	Supersedes []string      `yaml:"supersedes"` // steps that need not fire when this one is due as well
}

// How a rule makes itself heard.
const (
	annunciateAlarm = "alarm"
	annunciateOrder = "order" // a silent order to a contact
	annunciateLog   = "log"   // for the record only
)

// order says who gets it.
type order struct {
	Duty string `yaml:"duty"` // of a contact
}

// silent reports whether the rule makes an order or a record, not an alarm.
func (r *rule) silent() bool { return r.Annunciate == annunciateOrder || r.Annunciate == annunciateLog }

const untilRecovered = "recovered"

// Names of the clocks that are no steps of a ladder.
const (
	clockProgress = "progress"
	clockRemind   = "remind"
	clockReview   = "review"
	clockClose    = "close"
)

// Defaults of single rules.
const (
	defaultRepeatAfter  = time.Minute
	defaultDelayedAfter = 10 * time.Minute
	defaultRecurrence   = 10 * time.Minute
)

func (r *rule) repeatAfter() time.Duration  { return valueOr(r.RepeatAfter, defaultRepeatAfter) }
func (r *rule) delayedAfter() time.Duration { return valueOr(r.DelayedAfter, defaultDelayedAfter) }
func (r *rule) recurrence() time.Duration   { return valueOr(r.Recurrence, defaultRecurrence) }

func valueOr(d *time.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return *d
}

// applies reports whether devices of the kind are in the rule's scope.
func (r *rule) applies(k telemetry.Kind) bool {
	return len(r.Scope) == 0 || slices.Contains(r.Scope, k)
}

// key is the dedupe key of a device, or of a component of it, under the rule.
func (r *rule) key(device, component string) string {
	return conditionKey(cmp.Or(r.Dedupe, r.ID), device, component)
}

// fires evaluates the raise expression. A rule of priority 1 that cannot be evaluated fires: better one card too many.
func (r *rule) fires(env eventEnv) bool {
	out, err := expr.Run(r.raise, env)
	if err != nil {
		return r.Priority == 1
	}
	is, _ := out.(bool)
	return is
}

// silence is how long the device may be silent; ok is false when the rule cannot tell.
func (r *rule) silence(env absenceEnv) (time.Duration, bool) {
	out, err := expr.Run(r.silentAfter, env)
	if err != nil {
		return 0, false
	}
	s, ok := out.(float64)
	return time.Duration(s * float64(time.Second)), ok && s > 0
}

func (r *rule) clears(env absenceEnv) bool {
	out, err := expr.Run(r.clear, env)
	if err != nil {
		return false
	}
	is, _ := out.(bool)
	return is
}

// clocksOf gives the clocks of an incident: the rule's own lines over those of its priority. A rule that left the file
// leaves its incidents the clocks of their priority.
func (r *Rules) clocksOf(id string, p Priority) clocks {
	c := r.clocks[p]
	if p == 1 {
		c.Remind = firstSet(c.Remind, lifeRemind)
	}
	own, ok := r.byID[id]
	if !ok {
		return c
	}
	if own.Own.Escalation != nil {
		c.Escalation = own.Own.Escalation
	}
	c.Remind = firstSet(own.Own.Remind, c.Remind)
	c.Progress = firstSet(own.Own.Progress, c.Progress)
	c.Review = firstSet(own.Own.Review, c.Review)
	c.Close = firstSet(own.Own.Close, c.Close)
	c.CloseRecovered = firstSet(own.Own.CloseRecovered, c.CloseRecovered)
	return c
}

func firstSet(a, b time.Duration) time.Duration {
	if a != 0 {
		return a
	}
	return b
}

// step finds a step of the ladder by name.
func (c clocks) step(name string) (escalation, bool) {
	for _, e := range c.Escalation {
		if e.Name == name {
			return e, true
		}
	}
	return escalation{}, false
}
