package telemetry

import (
	"encoding/json"
	"strings"
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

const (
	wantResult = "accepted, declined, expired or unsupported"
	wantReason = "a string"
)

// DecodeCommandAck decodes a command/ack payload. A reason longer than 256 bytes is cut: the result counts.
func DecodeCommandAck(p []byte) (CommandAck, error) {
	var a CommandAck
	var seen fieldSet
	s, fault := openObject(p)
	if fault != nil {
		return a, fault
	}
	for first := true; ; first = false {
		key, v, more, fault := s.member(first)
		if fault != nil {
			return a, fault
		}
		if !more {
			break
		}
		if v.shape == isNull {
			continue
		}
		if fault := a.field(&seen, key, v); fault != nil {
			return a, fault
		}
	}
	if fault := s.close(); fault != nil {
		return a, fault
	}
	return a, a.complete()
}

func (a *CommandAck) field(seen *fieldSet, key []byte, v value) (fault *FieldError) {
	switch string(key) {
	case "id":
		if fault = seen.add(fieldID, "id"); fault == nil {
			a.ID, fault = v.text("id")
		}
	case "result":
		if fault = seen.add(fieldResult, "result"); fault == nil {
			a.Result, fault = v.text("result")
		}
	case "reason":
		if fault = seen.add(fieldReason, "reason"); fault == nil {
			a.Reason, fault = v.reason()
		}
	}
	return fault
}

// complete checks what an ack must have. It returns error, not *FieldError, so that a nil stays nil.
func (a *CommandAck) complete() error {
	if a.ID == "" {
		return &FieldError{"id", wantText, gotNothing}
	}
	switch a.Result {
	case AckAccepted, AckDeclined, AckExpired, AckUnsupported:
		return nil
	case "":
		return &FieldError{"result", wantResult, gotNothing}
	}
	return &FieldError{"result", wantResult, "another string"}
}

func (v value) reason() (string, *FieldError) {
	if v.shape != isString {
		return "", &FieldError{"reason", wantReason, v.shape.String()}
	}
	s, ok := v.unquote()
	if !ok {
		return "", &FieldError{"reason", wantReason, gotUTF8}
	}
	return strings.ToValidUTF8(s[:min(len(s), maxReason)], ""), nil
}
