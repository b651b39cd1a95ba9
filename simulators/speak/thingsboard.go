package speak

import "watchhouse/simulators/device"

// thingsboard is a device that speaks the device API of ThingsBoard. Its topic is that of all.
type thingsboard struct{}

func (thingsboard) Topic() string { return "v1/devices/me/telemetry" }

// record is a message with a time.
type record struct {
	TS     int64 `json:"ts"`
	Values any   `json:"values"`
}

// Say sends numbers by our names; an event is a text among them.
func (t thingsboard) Say(m device.Message) (device.Message, bool) {
	if !measures(m) {
		return m, false
	}
	s := stateOf(m)
	if s.event != "" {
		return reply(m, t.Topic(), record{m.TS, map[string]string{"type": s.event}}, device.Reading{}), true
	}
	return reply(m, t.Topic(), record{m.TS, s.values}, device.Reading{TS: m.TS, Values: s.values}), true
}
