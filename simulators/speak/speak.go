package speak

import (
	"encoding/json"
	"fmt"

	"watchhouse/simulators/device"
	"watchhouse/telemetry"
)

// The systems.
const (
	ChirpStack  = "chirpstack"
	Zigbee2MQTT = "zigbee2mqtt"
	ThingsBoard = "thingsboard"
)

// For gives the voice of a spec's model and the system it speaks through; "" for a device that speaks wh/v1.
func For(spec device.Spec) (device.Voice, string, error) {
	m, err := mountOf(spec.Settings)
	if err != nil {
		return nil, "", fmt.Errorf("speak: %s: %w", spec.ID, err)
	}
	address := spec.Address
	if address == "" {
		address = spec.ID
	}
	if body, ok := loraModels(m)[spec.Model]; ok {
		return &lora{id: spec.ID, eui: address, model: spec.Model, body: body}, ChirpStack, nil
	}
	if body, ok := zigbeeModels()[spec.Model]; ok {
		return &zigbee{name: address, body: body}, Zigbee2MQTT, nil
	}
	if spec.Model == "thingsboard-button" || spec.Model == "thingsboard-sensor" {
		return thingsboard{}, ThingsBoard, nil
	}
	return nil, "", nil
}

// state is what a device has to say: an event, or what it measured.
type state struct {
	event  string
	values map[string]float64
}

func stateOf(m device.Message) state {
	s := state{event: m.Type}
	if len(m.Said) > 0 {
		s.values = m.Said[0].Values
	}
	return s
}

// words are the fields of a message, and what the hub must make of the numbers among them; nil fields = nothing to say.
type words struct {
	fields map[string]any
	means  map[string]float64
}

// reply puts a payload into a message in place of that of wh/v1.
func reply(m device.Message, topic string, payload any, said device.Reading) device.Message {
	text, err := json.Marshal(payload)
	if err != nil {
		panic("speak: encode: " + err.Error()) // texts and numbers cannot fail
	}
	m.On, m.Payload, m.Said = topic, text, nil
	if len(said.Values) > 0 {
		m.Said = []device.Reading{said}
	}
	return m
}

// measures reports whether a message is one of those that a voice is asked for: events and telemetry.
func measures(m device.Message) bool {
	return m.Channel == telemetry.ChannelEvent || m.Channel == telemetry.ChannelTelemetry
}
