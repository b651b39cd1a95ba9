package telemetry

import (
	"encoding/json"
	"strings"

	"watchhouse/telemetry/scan"
)

// Command types: a closed list.
const (
	CommandReceipt   = "receipt"    // {"stage":"received|coming|cancelled"}: the button's light or voice
	CommandOffer     = "offer"      // {"assignment":…}: a call for a safety house
	CommandStandDown = "stand_down" // {"assignment":…}
	CommandRollCall  = "roll_call"
	CommandTestMode  = "test_mode" // {"until":Unix ms}
)

// Stages of a receipt.
const (
	StageReceived  = "received"
	StageComing    = "coming"
	StageCancelled = "cancelled"
)

// Results of a command ack.
const (
	AckAccepted    = "accepted"
	AckDeclined    = "declined"
	AckExpired     = "expired"
	AckUnsupported = "unsupported"
)

// KnownCommand reports whether typ is in the closed list.
func KnownCommand(typ string) bool {
	switch typ {
	case CommandReceipt, CommandOffer, CommandStandDown, CommandRollCall, CommandTestMode:
		return true
	}
	return false
}

// Command is what the hub sends on a command topic; Expires is Unix ms, 0 for never.
type Command struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Args    json.RawMessage `json:"args,omitempty"`
	Expires int64           `json:"expires,omitempty"`
}

// CommandAck is a decoded command/ack payload.
type CommandAck struct{ ID, Result, Reason string }

// maxReason cuts the free text of an ack, in bytes.
const maxReason = 256

const wantResult = "accepted, declined, expired or unsupported"

// DecodeCommandAck decodes a command/ack payload. A reason longer than 256 bytes is cut, one that cannot be read is left out: the
// result counts.
func DecodeCommandAck(p []byte) (CommandAck, error) {
	s, fault := openObject(p)
	if fault != nil {
		return CommandAck{}, fault
	}
	var d ackDecoder
	if fault := eachMember(&s, d.field); fault != nil {
		return d.ack, fault
	}
	if d.fault != nil {
		return d.ack, d.fault
	}
	return d.ack, d.ack.complete()
}

// ackDecoder gathers an ack; fault is the first of its id and its result.
type ackDecoder struct {
	ack   CommandAck
	seen  fieldSet
	fault *FieldError
}

func (d *ackDecoder) field(name []byte, v scan.Value) {
	var fault *FieldError
	switch string(name) {
	case "id":
		if fault = d.seen.add(fieldID, "id"); fault == nil {
			d.ack.ID, fault = text(v, "id")
		}
	case "result":
		if fault = d.seen.add(fieldResult, "result"); fault == nil {
			d.ack.Result, fault = text(v, "result")
		}
	case "reason":
		d.ack.Reason = reason(v)
	}
	if d.fault == nil {
		d.fault = fault
	}
}

// complete checks what an ack must have. It returns error, not *FieldError, so that a nil stays nil.
func (a *CommandAck) complete() error {
	if a.ID == "" {
		return fault("id", wantText, gotNothing)
	}
	switch a.Result {
	case AckAccepted, AckDeclined, AckExpired, AckUnsupported:
		return nil
	case "":
		return fault("result", wantResult, gotNothing)
	}
	return fault("result", wantResult, "another string")
}

func reason(v scan.Value) string {
	s, _ := v.Text()
	return strings.ToValidUTF8(s[:min(len(s), maxReason)], "")
}
