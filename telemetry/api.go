package telemetry

import "time"

// Kind is what a device is; open vocabulary of [a-z_]+.
type Kind string

// Shipped kinds.
const (
	EmergencyButton  Kind = "emergency_button"
	SafetyHouse      Kind = "safety_house"
	SortingPoint     Kind = "sorting_point"
	RecyclablesPoint Kind = "recyclables_point"
	Garage           Kind = "garage"
	Gateway          Kind = "gateway"
)

// Power is how a device is fed: "mains" or "battery".
type Power string

// DefaultReportInterval is the heartbeat interval by which silence is judged when the registry has none.
func DefaultReportInterval(k Kind, p Power) time.Duration { panic("unwritten") }

// ValidID reports whether s is a device id: [A-Za-z0-9][A-Za-z0-9_-]{0,63}.
func ValidID(s string) bool { panic("unwritten") }

// Channel is the last part of a topic.
type Channel string

// The channels of the wire.
const (
	ChannelEvent      Channel = "event"
	ChannelTelemetry  Channel = "telemetry"
	ChannelStatus     Channel = "status"
	ChannelCommand    Channel = "command"
	ChannelCommandAck Channel = "command/ack"
)

// Topic is a parsed wh/v1 topic. Gateway is empty for a device's own connection.
type Topic struct {
	Gateway string
	Device  string
	Channel Channel
}

// ParseTopic parses wh/v1/{device}/{channel} and wh/v1/{gateway}/child/{device}/{channel}.
func ParseTopic(s string) (Topic, error) { panic("unwritten") }

func (t Topic) String() string { panic("unwritten") }

// Event is a decoded event payload. Absent numbers are nil.
type Event struct {
	Type       string
	TS         *int64 // Unix ms
	Boot, Seq  *uint32
	Assignment string
}

// DecodeEvent decodes one event object. An error is a *FieldError naming the field.
// Unknown types decode without error: mapping is the reader's business (KnownEvent).
func DecodeEvent(p []byte) (Event, error) { panic("unwritten") }

// KnownEvent reports whether typ is in the vocabulary of kind k.
func KnownEvent(k Kind, typ string) bool { panic("unwritten") }

// Identity is the dedupe key of a message: (device, boot, seq), else (device, seq, ts); "" when it lacks both.
func (e Event) Identity(device string) string { panic("unwritten") }

// Metric is one number with its unit in the name. Booleans decode as 0 and 1.
type Metric struct {
	Name  string
	Value float64
}

// Reading is one telemetry object.
type Reading struct {
	TS        *int64
	Boot, Seq *uint32
	Metrics   []Metric // in name order
}

// DecodeTelemetry decodes an object or an array of objects, oldest first.
func DecodeTelemetry(p []byte) ([]Reading, error) { panic("unwritten") }

// DecodeStatus decodes {"online":bool}.
func DecodeStatus(p []byte) (online bool, err error) { panic("unwritten") }

// CommandAck is a decoded command/ack payload.
type CommandAck struct{ ID, Result, Reason string }

// DecodeCommandAck decodes a command/ack payload.
func DecodeCommandAck(p []byte) (CommandAck, error) { panic("unwritten") }

// FieldError says which field of a payload was wrong, what was expected and what was found.
type FieldError struct{ Field, Want, Got string }

func (e *FieldError) Error() string { panic("unwritten") }

// EffectiveTime is the time of a message in Unix ms: ts if 2020 <= ts <= received + 5 min, else the receive time
// with clockBad set (DESIGN "InfluxDB"). A nil ts is the receive time, clockBad unset.
func EffectiveTime(ts *int64, receivedNS int64) (ms int64, clockBad bool) { panic("unwritten") }
