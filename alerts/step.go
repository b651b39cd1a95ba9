package alerts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"watchhouse/journal"
)

// stepVersion is the schema of a step's body; a reader refuses a newer one.
const stepVersion = 1

// Causes of a step.
const (
	causeMessage = "message"
	causeCommand = "command"
	causeTimer   = "timer"
	causeAbsence = "absence"
	causeWindow  = "window"
	causeDeliver = "delivery"
	causeGap     = "gap"
	causeAck     = "device_ack"
	causeLeft    = "registry"
	causeFault   = "fault" // a decision that failed
)

// step is the body of one record of the ledger: everything a fold needs, and enough to say why.
type step struct {
	V      int     `json:"v"`
	Writer string  `json:"w"` // the engine that wrote it, to recognise its own step after a time-out
	Cause  string  `json:"cause"`
	Inputs []input `json:"in,omitempty"`
	Now    int64   `json:"now"`      // engine time, Unix ms, never less than in the step before
	Rules  string  `json:"rules"`    // hash of the rules that decided
	Reg    uint64  `json:"registry"` // revision of the registry that was read
	First  uint64  `json:"first"`    // number of the first transition, also when there is none

	Transitions []Transition  `json:"tr,omitempty"`
	Conditions  []Condition   `json:"cond,omitempty"` // after the step, whole
	Keys        []openKey     `json:"keys,omitempty"`
	Levels      []levelChange `json:"levels,omitempty"`
	Set         []timer       `json:"set,omitempty"`
	Cleared     []timer       `json:"cleared,omitempty"`
	Fired       []firing      `json:"fired,omitempty"`
	Outbox      []OutboxEntry `json:"outbox,omitempty"`
	Settled     []settlement  `json:"settled,omitempty"`
	Strangers   []stranger    `json:"strangers,omitempty"`
	Command     *commandKey   `json:"cmd,omitempty"`
	Cursors     cursors       `json:"cur"`
	Ahead       *numbers      `json:"ahead,omitempty"` // messages of the event lane decided beyond its cursor since the steps before
}

// input is a message that was read, or a run of repeats: never its payload.
type input struct {
	Message  string `json:"msg"`          // "event:12"
	To       string `json:"to,omitempty"` // of a run: the last message
	N        int    `json:"n,omitempty"`  // of a run: how many counted
	Device   string `json:"dev"`
	Identity string `json:"idn,omitempty"`
	TS       int64  `json:"ts,omitempty"` // the device's own time, Unix ms, 0 = none
	Received int64  `json:"rx,omitempty"` // Unix ms, of what has an identity
}

// openKey says which incident now answers for a dedupe key.
type openKey struct {
	Key      string `json:"key"`
	Incident string `json:"incident"`
}

// timer is one armed clock of an incident.
type timer struct {
	Incident string `json:"i"`
	Name     string `json:"n"`
	DueAt    int64  `json:"due"`
}

// firing is the evidence that a clock ran out.
type firing struct {
	timer
	LateMS  int64 `json:"late_ms"`
	Skipped bool  `json:"skipped,omitempty"`
}

// settlement ends an outbox entry.
type settlement struct {
	ID     string `json:"id"`
	Result string `json:"result"`
}

// commandKey stores an idempotency key with what the command led to.
type commandKey struct {
	Key      string `json:"key"` // actor and Idempotency-Key; "" = none was given
	Digest   string `json:"digest"`
	Incident string `json:"incident"`
}

// cursor is where reading a lane goes on, and the receive time of the entry before.
type cursor struct {
	Pos string `json:"p,omitempty"` // journal.Position in text
	NS  int64  `json:"ns,omitempty"`
	N   uint64 `json:"n,omitempty"` // of the event lane: number of the first message that was not decided
}

// cursors of the lanes.
type cursors struct {
	Event     cursor `json:"event"`
	State     cursor `json:"state"`
	Telemetry cursor `json:"telemetry"`
	Watch     cursor `json:"watch,omitzero"` // of the event lane, in the windows
}

func (c cursor) position() (journal.Position, error) {
	if c.Pos == "" {
		return journal.Position{}, nil
	}
	p, err := journal.ParsePosition(c.Pos)
	if err != nil {
		return p, fmt.Errorf("lane cursor: %w", err)
	}
	return p, nil
}

// last is the number of the last transition after the step.
func (s *step) last() uint64 { return s.First + uint64(len(s.Transitions)) - 1 }

func (s *step) encode() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode step: %w", err)
	}
	return b, nil
}

// errStepVersion tells that the ledger was written by a newer program.
var errStepVersion = errors.New("alerts: step of a newer schema")

func decodeStep(body []byte) (*step, error) {
	var s step
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(&s)
	if s.V > stepVersion || err != nil && newerStep(body) {
		return nil, errStepVersion
	}
	if err != nil {
		return nil, fmt.Errorf("decode step: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decode step: data after the step")
	}
	return &s, s.check()
}

// newerStep looks at the version alone: a newer schema may have fields this one refuses.
func newerStep(body []byte) bool {
	var head struct {
		V int `json:"v"`
	}
	return json.Unmarshal(body, &head) == nil && head.V > stepVersion
}

// check holds what the fold relies on.
func (s *step) check() error {
	if s.V != stepVersion {
		return fmt.Errorf("decode step: version %d", s.V)
	}
	if s.First == 0 {
		return errors.New("decode step: transitions are numbered from 1")
	}
	for i, t := range s.Transitions {
		if t.N != s.First+uint64(i) {
			return fmt.Errorf("decode step: transition %d numbered %d", s.First+uint64(i), t.N)
		}
		if t.Incident == nil || t.Incident.ID == "" {
			return fmt.Errorf("decode step: transition %d without an incident", t.N)
		}
	}
	return nil
}
