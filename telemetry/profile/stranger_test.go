package profile_test

import (
	"strings"
	"testing"

	"watchhouse/telemetry"
	"watchhouse/telemetry/profile"
)

// What counts as a call of a device that nobody has registered: words that mean a call whoever says them.
func TestCriesOfStrangers(t *testing.T) {
	c := shipped(t)
	const up = "application/a/device/0000000000000001/event/up"
	for _, tc := range []struct {
		name, topic, payload string
		want                 string // event types
	}{
		{"a WS101", up, `{"deduplicationId":"d","object":{"button_event":{"status":"long press"}}}`, "sos"},
		{"a WS101 by its bytes", up, `{"data":"AXUQ/y4B"}`, "sos"},
		{"a PB01", up, `{"object":{"BatV":3,"Alarm":"TRUE"}}`, "sos"},
		{"a fire", up, `{"object":{"temperature_alarm":{"type":33},"temperature":70}}`, "heat"},
		{"smoke", "zigbee2mqtt/a/b", `{"smoke":true,"battery":3}`, "smoke"},
		{"an emergency button", "zigbee2mqtt/a", `{"action":"emergency"}`, "sos"},
		{"Develco", "zigbee2mqtt/a", `{"sos":true}`, "sos"},
		{"a remote control", "zigbee2mqtt/a", `{"action":"single"}`, ""},
		{"a button at rest", up, `{"object":{"Alarm":"FALSE"}}`, ""},
		{"a tilted sensor", up, `{"object":{"position":"tilt"}}`, ""},
		{"a wet floor", "zigbee2mqtt/a", `{"water_leak":true}`, ""},
		{"garbage", up, `{{`, ""},
		{"bytes of something else", up, `{"data":"EjRW"}`, ""},
		{"a device that is there", "zigbee2mqtt/a/availability", `online`, ""},
		{"a battery", "application/a/device/0000000000000001/event/status", `{"batteryLevel":3}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, e, _, ok := c.Envelope(tc.topic)
			if !ok {
				t.Fatal("no profile")
			}
			content, cries := profile.Reader{Envelope: e}.Cry([]byte(tc.payload), p.Models())
			var types []string
			for _, ev := range content.Events {
				types = append(types, ev.Type)
			}
			if got := strings.Join(types, " "); got != tc.want || cries != (tc.want != "") {
				t.Errorf("cries %v: %q, want %q", cries, got, tc.want)
			}
			if len(content.Readings)+len(content.Levels) > 0 || content.Unread != nil {
				t.Errorf("more than the call is taken: %+v", content)
			}
		})
	}
}

// Errors reach logs and dead letters: they name fields and kinds of things, never what a payload holds.
func TestErrorsRepeatNoContent(t *testing.T) {
	c := shipped(t)
	const secret = "李秀英"
	for _, payload := range []string{
		secret, `"` + secret + `"`, `{"` + secret, `{"object":"` + secret + `"}`, `{"object":{"press":"` + secret + `"}}`, `{"data":"` + secret + `"}`,
		`{"object":{"battery":"` + secret + `","press":["` + secret + `"]}}`, `{"time":"` + secret + `"}`, `{"object":{}} ` + secret,
		`{"rxInfo":[{"rssi":"` + secret + `"}]}`, `{"a":1,"a":"` + secret + `"}`,
	} {
		for _, topic := range []string{"application/a/device/b/event/up", "zigbee2mqtt/a", "zigbee2mqtt/a/availability", "v1/devices/me/telemetry"} {
			for _, model := range c.Models() {
				if model.Mapping() == nil {
					continue
				}
				_, e, _, _ := c.Envelope(topic)
				_, err := readerOf(e, model).Read([]byte(payload))
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("%s of %s: %v", payload, model.ID, err)
				}
			}
		}
	}
}

// Two fields of one message that say the same are one press; two records are two.
func TestOneMessageOnePress(t *testing.T) {
	c := shipped(t)
	m, _ := c.Model("thingsboard-button")
	_, e, _, _ := c.Envelope("v1/devices/me/telemetry")
	for payload, want := range map[string]int{
		`{"sos":true,"type":"sos"}`:   1,
		`[{"sos":true},{"sos":true}]`: 2,
		`{"sos":true,"fall":true}`:    2,
	} {
		content, err := readerOf(e, m).Read([]byte(payload))
		if err != nil || len(content.Events) != want || !telemetry.CallsForHelp(content.Events[0].Type) {
			t.Errorf("%s is %+v, %v", payload, content.Events, err)
		}
	}
}
