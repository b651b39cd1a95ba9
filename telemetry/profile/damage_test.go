package profile_test

import (
	"testing"

	"watchhouse/telemetry/profile"
	"watchhouse/telemetry/scan/scantest"
)

// What is damaged in one field, or stands around the payload, hides no call, no fire and no reading of any profile.
func TestDamageSpoilsOneFieldOnly(t *testing.T) {
	c := shipped(t)
	for _, tc := range []struct {
		topic, model string
		sound        []string
		says         func(profile.Content) bool
	}{
		{
			"v1/devices/me/telemetry", "thingsboard-sensor", []string{`"smoke":true`, `"temperature":42.5`},
			func(c profile.Content) bool { return c.Help() && metricOf(c, "temperature") == 42.5 },
		},
		{
			"zigbee2mqtt/hall", "zigbee-smoke", []string{`"smoke":true`, `"battery":88`},
			func(c profile.Content) bool { return c.Help() && metricOf(c, "battery_pct") == 88 },
		},
		{
			"application/a/device/24e124535b316056/event/up", "milesight-ws101", []string{`"deduplicationId":"d"`, `"object":{"press":"short","battery":7}`},
			func(c profile.Content) bool { return c.Help() && c.Identity == "d" && metricOf(c, "battery_pct") == 7 },
		},
		{
			"zigbee2mqtt/hall/availability", "zigbee-smoke", []string{`"state":"online"`},
			func(c profile.Content) bool { return c.Online != nil && *c.Online },
		},
	} {
		m, _ := c.Model(tc.model)
		_, e, _, _ := c.Envelope(tc.topic)
		r := readerOf(e, m)
		for name, p := range scantest.Everywhere(tc.sound...) {
			if got, err := r.Read(p); !tc.says(got) {
				t.Errorf("%s with %s, %q: %+v, %v", tc.topic, name, p, got, err)
			}
		}
	}
}

func metricOf(c profile.Content, name string) float64 {
	for _, r := range c.Readings {
		for _, m := range r.Metrics {
			if m.Name == name {
				return m.Value
			}
		}
	}
	return -1
}
