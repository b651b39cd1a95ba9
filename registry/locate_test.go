package registry

import (
	"errors"
	"strings"
	"testing"

	"watchhouse/telemetry"
)

const (
	upOf      = "application/4d9c3f2e-0d0c-4a53-9a1f-8b1b3a1d2c11/device/"
	pressBody = `{"deduplicationId":"d-1","time":"2026-11-27T05:00:00.123456789+00:00","object":{"button_event":{"status":"short press","msgid":7}}}`
)

// speakersOf is a registry with a device of each profile and one that speaks wh/v1.
func speakersOf(t *testing.T) *Registry {
	t.Helper()
	r := openTest(t)
	mustPut(t, r, nil,
		Device{ID: "btn", Kind: telemetry.EmergencyButton},
		Device{ID: "lora", Model: "milesight-ws101", Address: "24E124535B316056"},
		Device{ID: "bin", Model: "milesight-em310-udl", Address: "24e124713c140001", Settings: "empty_mm=1000;stream=wet"},
		Device{ID: "smoke-1", Model: "zigbee-smoke", Address: "车库/一号 烟感"},
		Device{ID: "tb", Model: "thingsboard-sensor"},
	)
	return r
}

func TestLocate(t *testing.T) {
	v := speakersOf(t).View()
	for _, tc := range []struct {
		topic, sender, device string
		channel               telemetry.Channel
		registered, life      bool
	}{
		{"wh/v1/btn/event", "btn", "btn", telemetry.ChannelEvent, true, true},
		{"wh/v1/nobody/telemetry", "nobody", "nobody", telemetry.ChannelTelemetry, false, true},
		{upOf + "24e124535b316056/event/up", "cs", "lora", telemetry.ChannelEvent, true, true},
		{upOf + "24e124535b316056/event/join", "cs", "lora", telemetry.ChannelTelemetry, true, true},
		{upOf + "24e124535b316056/event/status", "cs", "lora", telemetry.ChannelTelemetry, true, true},
		{upOf + "24e124713c140001/event/up", "cs", "bin", telemetry.ChannelEvent, true, true},
		{upOf + "ffffffffffffffff/event/up", "cs", "chirpstack:ffffffffffffffff", telemetry.ChannelTelemetry, false, false},
		{"zigbee2mqtt/车库/一号 烟感", "z2m", "smoke-1", telemetry.ChannelEvent, true, true},
		{"zigbee2mqtt/车库/一号 烟感/availability", "z2m", "smoke-1", telemetry.ChannelStatus, true, false},
		{"zigbee2mqtt/btn", "z2m", "zigbee2mqtt:btn", telemetry.ChannelTelemetry, false, false},
		{"v1/devices/me/telemetry", "tb", "tb", telemetry.ChannelEvent, true, true},
		{"v1/devices/me/attributes", "tb", "tb", telemetry.ChannelTelemetry, true, true},
	} {
		o, err := v.Locate(tc.topic, tc.sender)
		if err != nil {
			t.Errorf("%s: %v", tc.topic, err)
			continue
		}
		if o.Topic.Device != tc.device || o.Topic.Channel != tc.channel || o.Registered != tc.registered || o.Life != tc.life {
			t.Errorf("%s is %q on channel %q, registered %v, life %v", tc.topic, o.Topic.Device, o.Topic.Channel, o.Registered, o.Life)
		}
		if tc.registered != (o.Device.ID == tc.device) {
			t.Errorf("%s: the device is %q", tc.topic, o.Device.ID)
		}
	}
}

func TestTopicsOfNoDevice(t *testing.T) {
	v := speakersOf(t).View()
	for topic, quiet := range map[string]bool{
		upOf + "24e124535b316056/event/txack": true,
		"zigbee2mqtt/bridge/devices":          true,
		"zigbee2mqtt/lamp/set":                true,
		"v1/devices/me/telemetry":             false, // the sender speaks another profile
		"spBv1.0/group/NDATA/edge":            false,
		"application/x/device":                false,
		"":                                    false,
	} {
		_, err := v.Locate(topic, "lora")
		if errors.Is(err, ErrNoDevice) != quiet || err == nil {
			t.Errorf("%q: got %v, no device: want %v", topic, err, quiet)
		}
		if _, ok := errors.AsType[*telemetry.FieldError](err); !ok && !quiet {
			t.Errorf("%q: got %v, want a field", topic, err)
		}
	}
}

func TestAnOriginReadsByItsDevice(t *testing.T) {
	v := speakersOf(t).View()
	bin, _ := v.Locate(upOf+"24e124713c140001/event/up", "cs")
	c, err := bin.Read([]byte(`{"deduplicationId":"d","object":{"distance":600,"position":"normal"}}`))
	check(t, err)
	if m := c.Readings[0].Metrics; m[1].Name != "fill_wet_pct" || m[1].Value != 50 {
		t.Errorf("the settings of the device are not the ones used: %v", m)
	}
	stranger, _ := v.Locate(upOf+"ffffffffffffffff/event/up", "cs")
	c, err = stranger.Read([]byte(pressBody))
	check(t, err)
	if !c.Help() || c.Events[0].Type != telemetry.EventSOS {
		t.Errorf("a call of an unknown address is %+v", c)
	}
	if c, err = stranger.Read([]byte(`{"object":{"distance":600}}`)); err == nil || len(c.Readings) > 0 {
		t.Errorf("readings of an unknown address are taken: %+v, %v", c, err)
	}
	own, _ := v.Locate("wh/v1/btn/event", "btn")
	if c, err = own.Read([]byte(`{"type":"sos","boot":1,"seq":2}`)); err != nil || c.Identity != "btn/b1/s2" {
		t.Errorf("an event of wh/v1 is %+v, %v", c, err)
	}
	if c, err = own.Read([]byte(`{"type":"smoke","ts":NaN}`)); err == nil || c.Unread != nil || len(c.Events) != 1 {
		t.Errorf("a fire with a spoilt time says %+v, %v", c, err)
	}
	if c, err = own.Read([]byte(`{"type":`)); err == nil || c.Unread == nil {
		t.Errorf("an unreadable event of wh/v1 is %+v, %v", c, err)
	}
}

func TestSpeakersAreCheckedWhenTheyAreRegistered(t *testing.T) {
	r := speakersOf(t)
	for name, tc := range map[string]struct {
		device Device
		want   string
	}{
		"address of another":       {Device{ID: "x", Model: "dragino-pb01", Address: "24e124535B316056"}, "address: want"},
		"its id is another's":      {Device{ID: "24e124535b316056", Model: "dragino-pb01"}, "address: want"},
		"an address that is none":  {Device{ID: "x", Model: "dragino-pb01", Address: "24e124535b31605"}, "address: want a DevEUI"},
		"no address at all":        {Device{ID: "x", Model: "dragino-pb01"}, "address: want a DevEUI"},
		"an address of zeros":      {Device{ID: "x", Model: "dragino-pb01", Address: "0000000000000000"}, "address: want a DevEUI"},
		"O for 0":                  {Device{ID: "x", Model: "dragino-pb01", Address: "24e124535b3160O6"}, "address: want a DevEUI"},
		"settings of no model":     {Device{ID: "24e124535b316001", Model: "milesight-em310-udl", Settings: "depth=7"}, "settings: want"},
		"settings that cannot be":  {Device{ID: "24e124535b316001", Model: "milesight-em310-udl", Settings: "empty_mm=100"}, "settings.full_mm: want"},
		"a kind that hears no sos": {Device{ID: "x", Kind: telemetry.Garage, Model: "milesight-ws101"}, "kind: want"},
	} {
		_, err := r.PutDevices(t.Context(), "t", []Device{tc.device}, nil)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
	mustPut(t, r, nil, Device{ID: "same", Model: "zigbee-leak", Address: "24e124535b316056"}, // another profile
		Device{ID: "garage", Kind: telemetry.Garage, Model: "milesight-em310-udl", Address: "24-E1-24-53-5B-31-60-99"})
	if d, _ := r.View().Device("garage"); d.Address != "24e124535b316099" {
		t.Errorf("the address is kept as %q, not as the topics have it", d.Address)
	}
}

func TestWhoSpeaksOnTheTopicWithoutAName(t *testing.T) {
	r := speakersOf(t)
	for _, tc := range []struct {
		who, topic string
		want       bool
	}{
		{"tb", "v1/devices/me/telemetry", true},
		{"tb", "v1/devices/me/attributes", true},
		{"tb", "v1/devices/me/rpc/request/1", false},
		{"tb", "v1/devices/other/telemetry", false},
		{"tb", "wh/v1/tb/event", true},
		{"btn", "v1/devices/me/telemetry", false},
		{"lora", "v1/devices/me/telemetry", false}, // its profile is another
		{"tb", upOf + "24e124535b316056/event/up", false},
	} {
		if got := r.MayPublish(r.mustPrincipal(t, tc.who), tc.topic); got != tc.want {
			t.Errorf("%s may publish on %s: %v, want %v", tc.who, tc.topic, got, tc.want)
		}
	}
	if r.MaySubscribe(r.mustPrincipal(t, "tb"), "v1/devices/me/attributes") {
		t.Error("a device would hear what all others publish on the topic without a name")
	}
}
