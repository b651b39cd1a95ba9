package alerts

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
)

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

// Incident is the human-owned closed loop, as REST and the stream show it. It holds ids of persons, never names.
// Times are Unix ms. Values are immutable: a change makes a new one.
type Incident struct {
	ID             string       `json:"id"`
	Version        uint64       `json:"version"` // workflow transitions only
	Priority       Priority     `json:"priority"`
	Class          Class        `json:"class"`
	State          State        `json:"state"`
	Rule           string       `json:"rule"`
	Device         string       `json:"device"`
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
	Supervise      int          `json:"supervise_level"`
	Deadlines      []Deadline   `json:"deadlines"`
	Assignments    []Assignment `json:"assignments"`
	Badges         []string     `json:"badges"`             // delayed clock_fault unreadable repeat recurrence unknown_place test
	Response       string       `json:"response,omitempty"` // what the operator should do, from the rule
	Causes         []string     `json:"causes"`             // ids of the messages that raised it, newest last, at most 20
	Previous       string       `json:"previous_incident_id,omitempty"`
}

// Deadline is a named clock of an incident, e.g. {"louder", …}.
type Deadline struct {
	Name  string `json:"name"` // louder l1 auto_dispatch l3 progress overdue
	DueAt int64  `json:"due_at"`
}

// Assignment is one offer to one responder (later).
type Assignment struct {
	ID        string `json:"id"`
	Responder string `json:"responder"`
	State     string `json:"state"`
}

// Transition is one numbered change; what the stream carries and the timeline shows.
type Transition struct {
	N        uint64    `json:"seq"`
	At       int64     `json:"at"`
	Kind     string    `json:"kind"`  // raised occurrence acknowledged unacknowledged noted resolved reopened closed recovered reactivated escalated lapsed
	Actor    string    `json:"actor"` // user name, or "engine"
	From     State     `json:"from,omitempty"`
	To       State     `json:"to,omitempty"`
	Text     string    `json:"text,omitempty"` // a note, a reason, the timer's name
	Incident *Incident `json:"incident"`       // after the transition
}

// View is the immutable live state.
type View struct {
	Seq       uint64      // number of the last transition
	Now       int64       // the engine's time, Unix ms
	Incidents []*Incident // open ones and those closed in the last 24 h, by id
	byID      map[string]*Incident
}

// Incident finds one by id.
func (v *View) Incident(id string) (*Incident, bool) { panic("unwritten") }

// Command is an operator's action.
type Command struct {
	Key          string // Idempotency-Key; "" = none
	Actor        string
	Incident     string
	Action       string  // acknowledge unacknowledge note resolve close reopen | open (manual incident)
	IfVersion    *uint64 // required for all but acknowledge and note
	Text         string  // note or reason
	Disposition  string
	Rule, Device string // for open
}

// Result of a command: the incident after it; the same for a repeated key.
type Result struct {
	Incident *Incident
	Repeated bool
}

// ConflictError is a broken guard: 409 with the current state.
type ConflictError struct {
	Current *Incident
	Reason  string // "version", "state: …", "resolved by reviewer"
}

func (e *ConflictError) Error() string { panic("unwritten") }

// InvalidError names the faulty field of a command.
type InvalidError struct{ Field, Want string }

func (e *InvalidError) Error() string { panic("unwritten") }

// ErrNotFound is an unknown incident.
var ErrNotFound = errors.New("alerts: no such incident")

// Config of the engine.
type Config struct {
	RulesFile        string        `yaml:"rules_file"` // "" = the shipped rules (embedded YAML)
	SnapshotInterval time.Duration `yaml:"snapshot_interval"`
	BlindAfterStart  time.Duration `yaml:"blind_after_start"` // absence rules, see SYS-BROKER
}

// DefaultConfig and Validate.
func DefaultConfig() Config      { panic("unwritten") }
func (c Config) Validate() error { panic("unwritten") }

// Deps of the engine.
type Deps struct {
	Journal  *journal.Journal
	Registry *registry.Registry
	Log      *slog.Logger
}

// Engine is the ledger's one writer.
type Engine struct{}

// New loads rules, the last snapshot and the steps after it; it does not start anything.
func New(ctx context.Context, cfg Config, d Deps) (*Engine, error) { panic("unwritten") }

// Run reads the lanes and the mailbox until ctx ends; then it writes a snapshot and returns.
func (e *Engine) Run(ctx context.Context) error { panic("unwritten") }

// Do runs a command in the engine's mailbox and returns after its step is committed.
func (e *Engine) Do(ctx context.Context, c Command) (Result, error) { panic("unwritten") }

// View is the current state.
func (e *Engine) View() *View { panic("unwritten") }

// Epoch is the ledger's id.
func (e *Engine) Epoch() string { panic("unwritten") }

// Subscribe gives committed transitions after a number: first those kept (ring, then ledger), then live ones, without gap or
// double. If after is older than what is kept, ErrTooOld: take the View. The subscription never blocks the engine: a reader
// that falls more than 1,024 behind is cut with Resync() true and the channel closed.
func (e *Engine) Subscribe(after uint64) (*Subscription, error) { panic("unwritten") }

// ErrTooOld tells a subscriber to take a snapshot.
var ErrTooOld = errors.New("alerts: transitions no longer kept")

// Subscription of one reader.
type Subscription struct{}

func (s *Subscription) C() <-chan []Transition { panic("unwritten") }
func (s *Subscription) Resync() bool           { panic("unwritten") }
func (s *Subscription) Close()                 { panic("unwritten") }

// Oldest is the smallest number Subscribe can start after.
func (e *Engine) Oldest() uint64 { panic("unwritten") }

// Timeline gives all transitions of one incident, oldest first.
func (e *Engine) Timeline(ctx context.Context, incident string) ([]Transition, error) {
	panic("unwritten")
}

// Lag is how far the engine's readers are behind the lane heads, in messages, and its time behind the wall.
func (e *Engine) Lag() (messages uint64, behind time.Duration) { panic("unwritten") }
