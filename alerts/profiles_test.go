package alerts

import (
	"testing"
	"time"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

// withSpeakers has devices behind bridges: a button w, a button p that its bridge must decode, a smoke detector, a leak sensor and
// a GS601 in a garage, and a ThingsBoard button tb.
func (w *fakeWorld) withSpeakers() *fakeWorld {
	for _, d := range []registry.Device{
		{ID: "w", Kind: telemetry.EmergencyButton, Model: "milesight-ws101", Address: "24e124535b316056", Person: "p9", Area: "a1"},
		{ID: "p", Kind: telemetry.EmergencyButton, Model: "dragino-pb01", Address: "a84041"},
		{ID: "z", Kind: telemetry.EmergencyButton, Model: "zigbee-sos-button", Address: "床头"},
		{ID: "smoke", Kind: telemetry.Garage, Model: "zigbee-smoke"},
		{ID: "leak", Kind: telemetry.Garage, Model: "zigbee-leak"},
		{ID: "air", Kind: telemetry.Garage, Model: "milesight-gs601", Address: "24e124aa"},
		{ID: "tb", Kind: telemetry.EmergencyButton, Model: "thingsboard-button"},
	} {
		w.devices[d.ID] = d
	}
	return w
}

// bridge receives what a bridge's account publishes.
func (k *desk) bridge(topic, payload string, retained bool) {
	k.tb.Helper()
	e := k.message("wh/v1/bridge/event", payload)
	e.Topic, e.Retain = topic, retained
	k.receive(e)
}

const upOfW = "application/a/device/24e124535b316056/event/up"

func press(id string) string {
	return `{"deduplicationId":"` + id + `","time":"2025-11-23T09:08:08+00:00","object":{"battery":90,"button_event":{"status":"short press","msgid":4711}}}`
}

// burning is what a GS601 says when a fire begins or ends.
func (k *desk) burning(id, word string) {
	k.tb.Helper()
	k.bridge("application/a/device/24e124aa/event/up", `{"deduplicationId":"`+id+`","object":{"temperature_alarm":{"type":"burning alarm `+word+`"}}}`, false)
}

var profileRules = []struct {
	name string
	send func(k *desk)
	dev  string
	want outcome
}{
	{"a press", func(k *desk) { k.bridge(upOfW, press("1"), false) }, "w", outcome{"EB-SOS", "person", 1, nil, false}},
	{"the same uplink twice", func(k *desk) {
		k.bridge(upOfW, press("1"), false)
		k.bridge(upOfW, press("1"), false)
	}, "w", outcome{"EB-SOS", "person", 1, nil, false}},
	{"two presses, whatever msgid says", func(k *desk) {
		k.bridge(upOfW, press("1"), false)
		k.bridge(upOfW, press("2"), false)
	}, "w", outcome{"EB-SOS", "person", 2, nil, false}},
	{"a retained copy", func(k *desk) { k.bridge(upOfW, press("1"), true) }, "w", outcome{}},
	{"a reading is no call", func(k *desk) { k.bridge(upOfW, `{"deduplicationId":"1","object":{"battery":90}}`, false) }, "w", outcome{}},
	{"a battery that cannot be read is no call", func(k *desk) { k.bridge(upOfW, `{"object":{"battery":"full"}}`, false) }, "w", outcome{}},
	{"an empty uplink is no call", func(k *desk) { k.bridge(upOfW, `{"deduplicationId":"1","fCnt":9}`, false) }, "w", outcome{}},
	{"a press that was not decoded", func(k *desk) { k.bridge(upOfW, `{"data":"/y4B"}`, false) }, "w", outcome{"EB-SOS", "person", 1, nil, false}},
	{"a press that a codec of another model has left out", func(k *desk) { k.bridge(upOfW, `{"object":{"status":"ok"},"data":"/y4B"}`, false) }, "w", outcome{"EB-SOS", "person", 1, nil, false}},
	{"a press in the shape of another codec", func(k *desk) { k.bridge(upOfW, `{"object":{"button_event":"short press"}}`, false) }, "w", outcome{"EB-UNREADABLE", "person", 1, []string{"unreadable"}, true}},
	{"bytes that nobody knows", func(k *desk) { k.bridge(upOfW, `{"data":"EjRW"}`, false) }, "w", outcome{"EB-UNREADABLE", "person", 1, []string{"unreadable"}, true}},
	{"a word that is in no table", func(k *desk) { k.bridge(upOfW, `{"object":{"press":"shaken"}}`, false) }, "w", outcome{"EB-UNREADABLE", "person", 1, []string{"unreadable"}, true}},
	{"garbage", func(k *desk) { k.bridge(upOfW, "{{", false) }, "w", outcome{"EB-UNREADABLE", "person", 1, []string{"unreadable"}, true}},
	{"a bridge without codec", func(k *desk) { k.bridge("application/a/device/A84041/event/up", `{"data":"DPEAAQ=="}`, false) }, "p", outcome{"EB-UNREADABLE", "person", 1, []string{"unreadable"}, true}},
	{"a press by zigbee", func(k *desk) { k.bridge("zigbee2mqtt/床头", `{"action":"emergency"}`, false) }, "z", outcome{"EB-SOS", "person", 1, nil, false}},
	{"each zigbee press counts", func(k *desk) {
		k.bridge("zigbee2mqtt/床头", `{"action":"emergency"}`, false)
		k.bridge("zigbee2mqtt/床头", `{"action":""}`, false)
		k.bridge("zigbee2mqtt/床头", `{"action":"emergency"}`, false)
	}, "z", outcome{"EB-SOS", "person", 2, nil, false}},
	{"a retained zigbee press", func(k *desk) { k.bridge("zigbee2mqtt/床头", `{"action":"emergency"}`, true) }, "z", outcome{}},
	{"a state that is repeated began once", func(k *desk) {
		for range 5 {
			k.bridge("zigbee2mqtt/smoke", `{"smoke":true,"battery":80}`, false)
		}
	}, "smoke", outcome{"SH-FIRE", "fire", 1, nil, false}},
	{"a button that never takes its state back", func(k *desk) {
		for range 3 {
			k.bridge("zigbee2mqtt/床头", `{"sos":true,"battery":80}`, false)
			k.bridge("zigbee2mqtt/床头", `{"sos":true,"battery":80}`, false)
			k.sleep(levelPause)
		}
	}, "z", outcome{"EB-SOS", "person", 3, nil, false}},
	{"a state that ended begins again", func(k *desk) {
		for _, smoke := range []string{"true", "false", "true"} {
			k.bridge("zigbee2mqtt/smoke", `{"smoke":`+smoke+`}`, false)
		}
	}, "smoke", outcome{"SH-FIRE", "fire", 2, nil, false}},
	{"a fire after one whose end was lost", func(k *desk) {
		k.burning("1", "trigger")
		k.burning("2", "trigger")
	}, "air", outcome{"SH-FIRE", "fire", 2, nil, false}},
	{"a fire in the same uplink twice, and its end", func(k *desk) {
		k.burning("1", "trigger")
		k.burning("1", "trigger")
		k.burning("2", "deactivation")
	}, "air", outcome{"SH-FIRE", "fire", 1, nil, false}},
	{"what never began cannot end", func(k *desk) { k.bridge("zigbee2mqtt/smoke", `{"smoke":false}`, false) }, "smoke", outcome{}},
	{"a state in a word that nobody knows", func(k *desk) { k.bridge("zigbee2mqtt/smoke", `{"smoke":"maybe"}`, false) }, "smoke", outcome{"FD-UNREADABLE", "fire", 1, []string{"unreadable"}, true}},
	{"a detector of fire that cannot be read", func(k *desk) { k.bridge("zigbee2mqtt/smoke", "{{", false) }, "smoke", outcome{"FD-UNREADABLE", "fire", 1, []string{"unreadable"}, true}},
	{"a word of a GS601 that is in no table", func(k *desk) { k.burning("1", "perhaps") }, "air", outcome{"FD-UNREADABLE", "fire", 1, []string{"unreadable"}, true}},
	{"a leak sensor that cannot be read", func(k *desk) { k.bridge("zigbee2mqtt/leak", `{"water_leak":"maybe"}`, false) }, "leak", outcome{letter: true}},
	{"an unknown place", func(k *desk) {
		k.bridge("application/a/device/0000000000000001/event/up", press("1"), false)
	}, "chirpstack:0000000000000001", outcome{"EB-UNREG", "person", 1, []string{"unknown_place"}, false}},
	{"an unknown place, the same uplink twice", func(k *desk) {
		for range 2 {
			k.bridge("application/a/device/0000000000000001/event/up", press("1"), false)
		}
	}, "chirpstack:0000000000000001", outcome{"EB-UNREG", "person", 1, []string{"unknown_place"}, false}},
	{
		"smoke at an unknown place", func(k *desk) { k.bridge("zigbee2mqtt/kitchen", `{"smoke":true}`, false) }, "zigbee2mqtt:kitchen",
		outcome{"EB-UNREG", "person", 1, []string{"unknown_place"}, false},
	},
	{"a stranger's readings", func(k *desk) { k.bridge("zigbee2mqtt/lamp", `{"brightness":1}`, false) }, "zigbee2mqtt:lamp", outcome{letter: true}},
	{"an address that is the id of another", func(k *desk) { k.bridge("zigbee2mqtt/b1", `{"action":"emergency"}`, false) }, "b1", outcome{}},
	{"a wet floor", func(k *desk) { k.bridge("zigbee2mqtt/leak", `{"water_leak":true}`, false) }, "leak", outcome{"DV-LEAK", "tech", 1, nil, false}},
	{"a press and a fall in one message", func(k *desk) {
		e := k.message("wh/v1/tb/event", `[{"ts":1763888888000,"values":{"sos":true}},{"fall":1,"hr":70}]`)
		e.Topic = "v1/devices/me/telemetry"
		k.receive(e)
	}, "tb", outcome{"EB-SOS", "person", 2, nil, false}},
	{"retained on its own connection", func(k *desk) {
		e := k.message("wh/v1/tb/event", `{"type":"sos"}`)
		e.Topic, e.Retain = "v1/devices/me/telemetry", true
		k.receive(e)
	}, "tb", outcome{"EB-SOS", "person", 1, nil, false}},
}

func TestProfilesFollowTheRulesOfTheWire(t *testing.T) {
	for _, c := range profileRules {
		t.Run(c.name, func(t *testing.T) {
			k := newDesk(t)
			k.world.withSpeakers()
			c.send(k)
			if (len(k.last.letters) > 0) != c.want.letter {
				t.Errorf("dead letter %v, want %v", k.last.letters, c.want.letter)
			}
			if c.want.rule == "" {
				if n := len(k.incidents(c.dev)); n != 0 {
					t.Fatalf("%d incidents", n)
				}
				return
			}
			i := k.one(c.dev)
			if i.Rule != c.want.rule || i.Class != c.want.class || i.Occurrences != c.want.occurrences || !sameBadges(i.Badges, c.want.badges) {
				t.Errorf("rule %s class %s occurrences %d badges %q", i.Rule, i.Class, i.Occurrences, i.Badges)
			}
			if i.Class != "tech" && i.Priority != 1 || i.State != StateNew {
				t.Errorf("priority %d state %s", i.Priority, i.State)
			}
			if len(k.book.outbox) > 0 && k.world.devices[c.dev].Model != "" {
				t.Error("a receipt is waiting for a device that cannot get one")
			}
		})
	}
}

func sameBadges(a, b []string) bool { return len(a) == len(b) && (len(a) == 0 || a[0] == b[0]) }

// What a state was is in the ledger, so that a restart does not make the next repetition a new alarm, and not even a closed
// incident does.
func TestALevelIsRememberedBeyondTheIncident(t *testing.T) {
	k := newDesk(t)
	k.world.withSpeakers()
	k.bridge("zigbee2mqtt/smoke", `{"smoke":true}`, false)
	i := k.one("smoke")
	k.must(Command{Action: ActionAcknowledge, Incident: i.ID})
	k.must(Command{Action: ActionResolve, Incident: i.ID, Disposition: "other", Text: "burnt toast"})
	k.must(Command{Action: ActionClose, Incident: i.ID, Actor: "bob"})
	k.sleep(25 * time.Hour)
	s, err := decodeSnapshot([]byte(canonical(t, k.book)))
	if err != nil {
		t.Fatal(err)
	}
	if k.book, err = s.thaw(); err != nil { // a restart
		t.Fatal(err)
	}
	k.bridge("zigbee2mqtt/smoke", `{"smoke":true}`, false)
	if n := len(k.all); k.all[n-1].Kind != KindClosed {
		t.Errorf("a repeated state led to %s", k.all[n-1].Kind)
	}
	k.bridge("zigbee2mqtt/smoke", `{"smoke":false}`, false)
	k.bridge("zigbee2mqtt/smoke", `{"smoke":true}`, false)
	if n := len(k.all); k.all[n-1].Kind != KindRaised {
		t.Errorf("smoke after the end of smoke led to %s", k.all[n-1].Kind)
	}
}
