package alerts

import "slices"

// Priority 1 (life) to 4 (hint).
type Priority int

// Class of an incident: person duress fire duty sanitation tech.
type Class string

// State of an incident.
type State string

// States; open = all but StateClosed and StateMerged.
const (
	StateNew          State = "new"
	StateAcknowledged State = "acknowledged"
	StateVerifying    State = "verifying"
	StateDispatched   State = "dispatched"
	StateAccepted     State = "accepted"
	StateOnScene      State = "on_scene"
	StateRecovered    State = "recovered"
	StateResolved     State = "resolved"
	StateClosed       State = "closed"
	StateMerged       State = "merged"
)

// Kinds of transitions. A reader must accept kinds it does not know: the incident in the transition is the whole truth.
const (
	KindRaised         = "raised"
	KindOccurrence     = "occurrence"
	KindAcknowledged   = "acknowledged"
	KindUnacknowledged = "unacknowledged"
	KindNoted          = "noted"
	KindResolved       = "resolved"
	KindReopened       = "reopened"
	KindClosed         = "closed"
	KindRecovered      = "recovered"
	KindReactivated    = "reactivated"
	KindEscalated      = "escalated" // Text is the deadline's name
	KindLapsed         = "lapsed"    // an acknowledgement without progress
	KindSkipped        = "skipped"   // a deadline overdue and superseded by a later one; Text is its name
)

// Badges the engine sets.
const (
	BadgeDelayed      = "delayed"
	BadgeClockFault   = "clock_fault"
	BadgeUnreadable   = "unreadable"
	BadgeRepeat       = "repeat"
	BadgeRecurrence   = "recurrence"
	BadgeUnknownPlace = "unknown_place"
	BadgeCancelled    = "cancelled" // the device asked to cancel; closing still needs a person
	BadgeConfirmed    = "confirmed" // a second detector of the same place says fire too
)

// Engine is the actor of what no human did.
const engineActor = "engine"

// maxCauses bounds Incident.Causes.
const maxCauses = 20

// Incident is the human-owned closed loop, as REST and the stream show it. It holds ids of persons, never names.
// Times are Unix ms. Values are immutable: a change makes a new one.
type Incident struct {
	ID             string       `json:"id"`
	Version        uint64       `json:"version"` // grows on workflow transitions only
	Priority       Priority     `json:"priority"`
	Class          Class        `json:"class"`
	State          State        `json:"state"`
	Rule           string       `json:"rule"`
	Device         string       `json:"device"`
	Component      string       `json:"component,omitempty" doc:"Stream of a sorting point: wet, dry, recyclable or hazardous."`
	Area           string       `json:"area,omitempty"`
	Person         string       `json:"person,omitempty"`
	Active         bool         `json:"active"` // the condition still holds
	Occurrences    int          `json:"occurrences"`
	RaisedAt       int64        `json:"raised_at"` // receive time of the message that raised it
	LastAt         int64        `json:"last_at"`   // of the latest occurrence
	AcknowledgedAt int64        `json:"acknowledged_at,omitempty"`
	AcknowledgedBy string       `json:"acknowledged_by,omitempty"`
	ResolvedAt     int64        `json:"resolved_at,omitempty"`
	ResolvedBy     string       `json:"resolved_by,omitempty"`
	Disposition    string       `json:"disposition,omitempty"`
	ClosedAt       int64        `json:"closed_at,omitempty"`
	Supervise      int          `json:"supervise_level"` // 0 to 3; grows by one when an acknowledgement lapses
	Deadlines      []Deadline   `json:"deadlines"`       // armed clocks, by due time
	Assignments    []Assignment `json:"assignments"`
	Badges         []string     `json:"badges"`             // see the Badge constants, in the order they were set
	Response       string       `json:"response,omitempty"` // what the operator should do, from the rule
	Causes         []string     `json:"causes"`             // ids of the messages that raised it, newest last, at most 20
	Previous       string       `json:"previous_incident_id,omitempty"`
	Order          bool         `json:"order,omitempty" doc:"A silent order to a contact; false once it is late and has become an alarm."`
	Contact        string       `json:"contact,omitempty" doc:"Id of the contact an order went to."`
	Via            string       `json:"via,omitempty" doc:"Gateway or bridge account that brought the call of a device nobody has registered."`
	Strangers      *Strangers   `json:"strangers,omitempty" doc:"Of an incident that stands for many devices nobody has registered; its device is who brought them."`
}

// Deadline is a named clock of an incident, e.g. {"louder", …}.
type Deadline struct {
	Name  string `json:"name"` // louder l1 auto_dispatch l3 remind progress overdue visit review close
	DueAt int64  `json:"due_at"`
}

// Assignment is one offer to one responder. No rule makes one yet.
type Assignment struct {
	ID        string `json:"id"`
	Responder string `json:"responder"`
	State     string `json:"state"`
}

// Transition is one numbered change; what the stream carries and the timeline shows.
type Transition struct {
	N        uint64    `json:"seq"`
	At       int64     `json:"at"`
	Kind     string    `json:"kind"`  // see the Kind constants
	Actor    string    `json:"actor"` // user name, or "engine"
	From     State     `json:"from,omitempty"`
	To       State     `json:"to,omitempty"`
	Text     string    `json:"text,omitempty"` // a note, a reason, the timer's name
	Incident *Incident `json:"incident"`       // after the transition
}

// Condition is the machine-owned side of an alarm: flags per rule, device and component. An absent condition is the normal one.
// Times are Unix ms.
type Condition struct {
	Rule         string   `json:"rule"`
	Device       string   `json:"device"`
	Component    string   `json:"component,omitempty"` // a stream of a sorting point
	Incident     string   `json:"incident,omitempty"`
	Active       bool     `json:"active,omitempty"`  // the rule's expression holds
	Acked        bool     `json:"acked,omitempty"`   // a person has seen it
	Latched      bool     `json:"latched,omitempty"` // stays until a person resets it by resolving the incident
	OutOfService bool     `json:"out_of_service,omitempty"`
	ShelvedUntil int64    `json:"shelved_until,omitempty"`
	SuppressedBy []string `json:"suppressed_by,omitempty"`
	Since        int64    `json:"since"`
	Cause        string   `json:"cause,omitempty"` // message that a latched window rule was last raised by; outlives the incident
}

// key identifies a condition.
func (c Condition) key() string { return conditionKey(c.Rule, c.Device, c.Component) }

func conditionKey(rule, device, component string) string {
	if component == "" {
		return rule + ":" + device
	}
	return rule + ":" + device + ":" + component
}

// normal reports whether nothing goes on. What is left to remember then is at most the cause.
func (c Condition) normal() bool {
	return !c.Active && !c.Latched && c.Acked && c.ShelvedUntil == 0 && len(c.SuppressedBy) == 0
}

// Open reports whether the incident still needs someone.
func (i *Incident) Open() bool { return i.State != StateClosed && i.State != StateMerged }

// HasBadge reports whether the badge is set.
func (i *Incident) HasBadge(badge string) bool {
	return slices.Contains(i.Badges, badge)
}
