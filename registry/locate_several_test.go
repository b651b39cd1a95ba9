package registry

import (
	"slices"
	"testing"

	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// A gateway's message that speaks of several devices is several messages: each is read by its own device's model, a stranger among
// them is heard when he calls, and a part without address is told.
func TestAMessageOfSeveralDevices(t *testing.T) {
	c, err := catalog.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	l := NewLocator(c, []Device{
		{ID: "bed", Model: "huawei-button", Address: "p_bed"}, {ID: "hall", Model: "huawei-sensor", Address: "p_hall"},
	})
	const topic = "$oc/devices/gw/sys/gateway/sub_devices/properties/report"
	o, err := l.Locate(topic, "gw")
	if err != nil || !o.Foreign() {
		t.Fatalf("%+v, %v", o, err)
	}
	service := func(properties string) string {
		return `"services":[{"service_id":"s","properties":` + properties + `}]`
	}
	payload := []byte(`{"devices":[{"device_id":"p_bed",` + service(`{"sos":1}`) + `},{"device_id":"p_hall",` + service(`{"temperature":21}`) + `},` +
		`{` + service(`{"sos":1}`) + `},{"device_id":"p_new",` + service(`{"sos":1}`) + `},{"device_id":"p_quiet",` + service(`{"lux":1}`) + `}]}`)
	var said []string
	for part := range o.All(payload) {
		c, err := part.Read(payload)
		what := part.Topic.Device
		for _, e := range c.Events {
			what += " " + e.Type
		}
		if len(c.Readings) > 0 {
			what += " reading"
		}
		if err != nil {
			what += " fault"
		}
		said = append(said, what)
	}
	slices.Sort(said)
	want := []string{" fault", "bed sos", "hall reading", "huawei:p_new sos", "huawei:p_quiet fault"}
	if !slices.Equal(said, want) {
		t.Errorf("says %q, want %q", said, want)
	}
	if !o.MayCall(payload) || o.MayCall([]byte(`{"devices":[{"device_id":"p_quiet"}]}`)) {
		t.Error("the lane does not follow the devices")
	}
}

// What a part says in one of its bodies does not hide what it says in another.
func TestAGatewaysPackOfPropertiesAndEvents(t *testing.T) {
	c, err := catalog.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	l := NewLocator(c, []Device{{ID: "a", Model: "alink-button", Address: "dn1"}, {ID: "o", Model: "onenet-button", Address: "dn1"}})
	part := `{"identity":{"deviceName":"dn1"},"properties":{"BatteryPercentage":{"value":50}},"events":{"SOS":{"value":{}}}}`
	for topic, payload := range map[string]string{
		"/sys/pk/gw/thing/event/property/pack/post": `{"id":"1","params":{"subDevices":[` + part + `]}}`,
		"$sys/pid/gw/thing/pack/post":               `{"id":"1","params":[` + part + `]}`,
	} {
		o, err := l.Locate(topic, "bridge")
		if err != nil {
			t.Fatal(err)
		}
		for part := range o.All([]byte(payload)) {
			c, _ := part.Read([]byte(payload))
			if c.Unread == nil || len(c.Readings) != 1 {
				t.Errorf("%s: %+v, want a call that cannot be read, and the battery", topic, c)
			}
		}
		if !o.MayCall([]byte(payload)) {
			t.Errorf("%s does not go in the lane of calls", topic)
		}
	}
}

// A device that connects by itself publishes on the topics of its address, and on nobody else's.
func TestADeviceSpeaksOnTheTopicsOfItsAddress(t *testing.T) {
	c, err := catalog.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	l := NewLocator(c, []Device{{ID: "a", Model: "alink-button", Address: "dn1"}, {ID: "b", Model: "alink-button", Address: "dn2"}})
	for topic, want := range map[string]bool{
		"/sys/pk/dn1/thing/event/property/post": true, "/sys/pk/dn2/thing/event/property/post": false, "/sys/pk/dn3/thing/event/property/post": false,
		"v1/devices/me/telemetry": false, "$oc/devices/x/sys/gateway/sub_devices/properties/report": false, "zigbee2mqtt/a": false,
	} {
		if got := l.speaksOn("a", topic); got != want {
			t.Errorf("%s: %v, want %v", topic, got, want)
		}
	}
	o, err := l.Locate("/sys/pk/dn1/thing/event/property/post", "a")
	if err != nil || o.Topic.Device != "a" || o.Topic.Channel != telemetry.ChannelEvent {
		t.Errorf("%+v, %v", o, err)
	}
}
