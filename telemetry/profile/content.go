package profile

import (
	"watchhouse/telemetry"
)

// Content is what one message says, in the vocabulary of telemetry.
type Content struct {
	Identity string   // of the message, for its device; "" when it has none
	Also     []string // further identities: one frame can be told under several, and any of them is the message
	Events   []telemetry.Event
	Levels   []Level
	Readings []telemetry.Reading
	Online   *bool
	Unread   *telemetry.FieldError // the first fault behind which a call may hide
}

// Level is a state of the device. It is an event of Type when it begins.
type Level struct {
	Field string // tells the levels of a device apart
	Type  string
	On    bool
	TS    *int64
}

// Event is what the beginning of the level is.
func (l Level) Event() telemetry.Event { return telemetry.Event{Type: l.Type, TS: l.TS} }

// Help reports whether the message calls for help, by itself.
func (c Content) Help() bool {
	for _, e := range c.Events {
		if telemetry.CallsForHelp(e.Type) {
			return true
		}
	}
	for _, l := range c.Levels {
		if l.On && telemetry.CallsForHelp(l.Type) {
			return true
		}
	}
	return false
}
