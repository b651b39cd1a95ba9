package profile_test

import (
	"reflect"
	"testing"

	"watchhouse/telemetry/catalog"
	"watchhouse/telemetry/profile"
)

func readerOf(e *profile.Envelope, m *catalog.Model) profile.Reader {
	mount, _ := m.Mapping().Mount("")
	return profile.Reader{Envelope: e, Model: m.Mapping(), Mount: mount}
}

// The neighbours of every recorded message: whatever a bridge sends, each model of its profile reads it to something that keeps the
// package's promises, or to faults with names; and the same message says the same again.
func FuzzChirpStack(f *testing.F) {
	fuzzProfile(f, "chirpstack", "application/a/device/24e124535b316056/event/up", "application/a/device/24e124535b316056/event/status")
}

func FuzzZigbee2MQTT(f *testing.F) {
	fuzzProfile(f, "zigbee2mqtt", "zigbee2mqtt/a/b", "zigbee2mqtt/a/b/availability")
}

func FuzzThingsBoard(f *testing.F) { fuzzProfile(f, "thingsboard", "v1/devices/me/telemetry") }

func fuzzProfile(f *testing.F, id string, topics ...string) {
	eachRecorded(f, id, func(_ string, r recorded) { f.Add(r.bytes()) })
	c := shipped(f)
	p, _ := c.Profile(id)
	var models []*catalog.Model
	for _, m := range c.Models() {
		if m.Profile == id {
			models = append(models, m)
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, topic := range topics {
			_, e, _, _ := c.Envelope(topic)
			for _, m := range models {
				r := readerOf(e, m)
				content, err := r.Read(payload)
				checkContent(t, content, err)
				if again, errAgain := r.Read(payload); !reflect.DeepEqual(content, again) || !reflect.DeepEqual(err, errAgain) {
					t.Fatalf("read again, %s says\n%+v, %v\nand before\n%+v, %v", m.ID, again, errAgain, content, err)
				}
			}
			content, cries := profile.Reader{Envelope: e}.Cry(payload, p.Models())
			checkContent(t, content, nil)
			if cries != content.Help() {
				t.Fatalf("cries %v: %+v", cries, content)
			}
		}
	})
}

// Topics are matched by levels: an address holds what the pattern leaves, and a command or a wildcard never matches by accident.
func FuzzEnvelope(f *testing.F) {
	for _, topic := range []string{
		"application/a/device/b/event/up", "zigbee2mqtt/a/b/availability", "zigbee2mqtt//", "zigbee2mqtt/availability", "zigbee2mqtt/a/",
		"v1/devices/me/telemetry", "", "/", "application/a/device//event/up", "zigbee2mqtt/bridge", "zigbee2mqtt",
	} {
		f.Add(topic)
	}
	c := shipped(f)
	f.Fuzz(func(t *testing.T, topic string) {
		p, e, address, ok := c.Envelope(topic)
		if !ok {
			return
		}
		if (address == "") != e.OfSender() {
			t.Fatalf("%q has address %q in %s", topic, address, e.Pattern())
		}
		if p == nil || p.Key(p.Key(address)) != p.Key(address) {
			t.Fatalf("%q has no stable key", topic)
		}
	})
}
