package device

import (
	"encoding/json"

	"watchhouse/telemetry"
)

// Message is one MQTT publish of a device. Boot, Seq and TS repeat what a well-formed payload says; they are zero in others.
type Message struct {
	Device, Gateway string
	Channel         telemetry.Channel
	Type            string // of an event
	QoS             byte
	Retain          bool
	Payload         []byte
	Boot, Seq       uint32
	TS              int64     // Unix ms by the device's clock
	On              string    // topic of a message that is not of wh/v1
	Said            []Reading // what such a message says in our words
}

// Voice lets a device speak otherwise than wh/v1; package speak has some.
type Voice interface {
	// Say puts a message into other words. false = there are none for it. Said holds what a heartbeat measured.
	Say(m Message) (Message, bool)
	// Topic is where the device speaks.
	Topic() string
}

// Reading is what a device measured at one moment.
type Reading struct {
	TS     int64              `json:"ts,omitempty"` // Unix ms, 0 = not said
	Values map[string]float64 `json:"values"`
}

// Topic is where the message goes: under its gateway when it has one.
func (m Message) Topic() string {
	if m.On != "" {
		return m.On
	}
	if m.Gateway != "" {
		return "wh/v1/" + m.Gateway + "/child/" + m.Device + "/" + string(m.Channel)
	}
	return "wh/v1/" + m.Device + "/" + string(m.Channel)
}

type eventPayload struct {
	Type string `json:"type"`
	Boot uint32 `json:"boot"`
	Seq  uint32 `json:"seq"`
	TS   int64  `json:"ts"`
}

type statusPayload struct {
	Online bool `json:"online"`
}

type ackPayload struct {
	ID     string `json:"id"`
	Result string `json:"result"`
}

// encode marshals a struct or map of numbers and short texts, which cannot fail.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("device: encode: " + err.Error())
	}
	return b
}
