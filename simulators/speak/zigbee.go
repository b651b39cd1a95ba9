package speak

import (
	"maps"
	"math"

	"watchhouse/simulators/device"
	"watchhouse/telemetry"
)

// zigbee is a device behind zigbee2mqtt, which repeats what it knows of it in every message.
type zigbee struct {
	name string
	body func(state) (fields map[string]any, ok bool)
	last map[string]any     // what is repeated
	mean map[string]float64 // and what the hub makes of it each time
}

func (z *zigbee) Topic() string { return "zigbee2mqtt/" + z.name }

// Say publishes the device's state, or whether it can be reached.
func (z *zigbee) Say(m device.Message) (device.Message, bool) {
	if m.Channel == telemetry.ChannelStatus {
		word := map[string]string{`{"online":true}`: "online", `{"online":false}`: "offline"}[string(m.Payload)]
		return reply(m, z.Topic()+"/availability", map[string]string{"state": word}, device.Reading{}), true
	}
	if !measures(m) {
		return m, false
	}
	s := stateOf(m)
	fields, ok := z.body(s)
	if !ok {
		return m, false
	}
	if s.event == "" {
		z.measure(s)
	}
	all := map[string]any{}
	maps.Copy(all, z.last)
	maps.Copy(all, fields)
	return reply(m, z.Topic(), all, device.Reading{Values: z.mean}), true
}

// measure takes over what every Zigbee device tells.
func (z *zigbee) measure(s state) {
	quality := max(0, min(255, math.Round(2*(s.values["rssi_dbm"]+125))))
	z.last = map[string]any{"battery": s.values["battery_pct"], "linkquality": quality, "voltage": math.Round(1000 * volts(s)), "battery_low": false}
	z.mean = map[string]float64{"battery_pct": s.values["battery_pct"], "link_quality": quality, "battery_low": 0}
}

// zigbeeModels are what the converters make of the models' reports. An action is said once and never repeated.
func zigbeeModels() map[string]func(state) (map[string]any, bool) {
	action := func(word string) func(state) (map[string]any, bool) {
		return func(s state) (map[string]any, bool) {
			if s.event == "" {
				return nil, true
			}
			return map[string]any{"action": word}, s.event == "sos"
		}
	}
	level := func(field, event string, on, off bool) func(state) (map[string]any, bool) {
		return func(s state) (map[string]any, bool) {
			if s.event == event || s.values["smoke_pct"] > smokeSeen && event == "smoke" {
				return map[string]any{field: on}, true
			}
			return map[string]any{field: off}, s.event == ""
		}
	}
	return map[string]func(state) (map[string]any, bool){
		"zigbee-sos-button": action("emergency"),
		"zigbee-any-button": action("single"),
		"zigbee-smoke":      level("smoke", "smoke", true, false),
		"zigbee-leak":       level("water_leak", "leak", true, false),
		"zigbee-contact":    level("contact", "opened", false, true),
	}
}

// smokeSeen is the density at which a detector goes on saying that there is smoke.
const smokeSeen = 10
