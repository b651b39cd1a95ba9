package live_test

import (
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/dashboard/live"
	"watchhouse/journal"
	"watchhouse/registry"
)

func bridge(id string) registry.Device {
	return registry.Device{ID: id, Kind: "bridge", Name: id, ReportInterval: 5 * time.Minute}
}

// The devices behind a bridge are gone with it, by its connection, by its will, by its own word; what it said of them before counts no more.
func TestABridgesDeathTakesItsDevicesAlong(t *testing.T) {
	type step func(w *world, at int64)
	session := func(k journal.Kind, who string, conn uint64) step {
		return func(w *world, at int64) { w.session(k, who, conn, at) }
	}
	says := func(who, topic, payload string) step {
		return func(w *world, at int64) { w.publish(journal.StateLane, who, topic, payload, at) }
	}
	lastWord := func(topic, payload string) step {
		return func(w *world, at int64) {
			w.lanes[journal.StateLane].add(journal.Message{
				Kind: journal.Will, Device: "br", Topic: topic, Payload: []byte(payload), ReceivedNS: at * 1e6,
			})
		}
	}
	will := lastWord("zigbee2mqtt/bridge/state", `{"state":"offline"}`)
	alive := []step{
		session(journal.Connect, "br", 1),
		says("br", "zigbee2mqtt/bridge/state", `{"state":"online"}`),
		says("br", "zigbee2mqtt/底楼/availability", `{"state":"online"}`),
		session(journal.Connect, "other", 2),
		says("other", "zigbee2mqtt/顶楼/availability", `{"state":"online"}`),
	}
	for _, tc := range []struct {
		name         string
		steps        []step
		bridge, mine string
	}{
		{"alive", nil, "true", "true"},
		{"its connection is lost", []step{session(journal.Disconnect, "br", 1)}, "false", "false"},
		{"its will", []step{will}, "false", "false"},
		{"a device's will", []step{lastWord("zigbee2mqtt/底楼/availability", "offline")}, "true", "false"},
		{"a will that says nothing of who is there", []step{lastWord("zigbee2mqtt/底楼", `{"smoke":true}`)}, "true", "true"},
		{"its will and the end", []step{will, session(journal.Disconnect, "br", 1)}, "false", "false"},
		{"it says so", []step{says("br", "zigbee2mqtt/bridge/state", `{"state":"offline"}`)}, "false", "false"},
		{"it says so, old form", []step{says("br", "zigbee2mqtt/bridge/state", `offline`)}, "false", "false"},
		{"it cannot be read", []step{says("br", "zigbee2mqtt/bridge/state", `{"state":7}`)}, "true", "true"},
		{"taken over", []step{session(journal.Connect, "br", 3), session(journal.Disconnect, "br", 1)}, "true", "true"},
		{"it is back", []step{
			session(journal.Disconnect, "br", 1), session(journal.Connect, "br", 3), says("br", "zigbee2mqtt/底楼/availability", `online`),
		}, "true", "true"},
		{"it is back and has not said", []step{session(journal.Disconnect, "br", 1), session(journal.Connect, "br", 3)}, "true", "unknown"},
		{"another speaks for it since", []step{
			says("other", "zigbee2mqtt/底楼/availability", `online`), session(journal.Disconnect, "br", 1),
		}, "false", "true"},
		{"somebody else says so", []step{says("s", "zigbee2mqtt/bridge/state", `offline`)}, "true", "true"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(
					registry.Device{ID: "s", Kind: "garage", Model: "zigbee-smoke", Address: "底楼"},
					registry.Device{ID: "u", Kind: "garage", Model: "zigbee-smoke", Address: "顶楼"}, bridge("br"), bridge("other"),
				)
				p, stop := w.begin(t)
				defer func() { stop() }()
				for i, s := range alive {
					s(w, time.Now().UnixMilli()+int64(i))
				}
				settle()
				stop()
				p, stop = w.begin(t) // who spoke for whom survives a restart of the page's server
				for i, s := range tc.steps {
					s(w, time.Now().UnixMilli()+int64(i))
				}
				settle()
				for id, want := range map[string]string{"br": tc.bridge, "s": tc.mine, "other": "true", "u": "true"} {
					if got := onlineText(get(t, p, id).Online); got != want {
						t.Errorf("%s: online %s, want %s", id, got, want)
					}
				}
			})
		})
	}
}

// A bridge is shown as one: connected, last heard, and not silent as long as it is connected.
func TestABridgeIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(bridge("br"))
		p, stop := w.begin(t)
		defer stop()
		now := time.Now().UnixMilli()
		w.session(journal.Connect, "br", 1, now)
		w.publish(journal.TelemetryLane, "br", "zigbee2mqtt/bridge/logging", `{}`, now+7)
		time.Sleep(3 * time.Hour)
		settle()
		if s := get(t, p, "br"); s.Kind != "bridge" || s.LastSeen != now+7 || s.Silent || onlineText(s.Online) != "true" {
			t.Errorf("state %+v", s)
		}
		w.session(journal.Disconnect, "br", 1, time.Now().UnixMilli())
		settle()
		if s := get(t, p, "br"); !s.Silent || onlineText(s.Online) != "false" {
			t.Errorf("state %+v", s)
		}
	})
}

// A device that is not let in is shown with the reason, until it is.
func TestARefusalIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(button("b1"), button("b2"))
		w.refused.Store(&map[string]live.Refusal{"b1": {ClientID: "ESP32_a1", Reason: "client_id", At: 7}, "nobody": {}})
		p, stop := w.begin(t)
		defer stop()
		settle()
		if s := get(t, p, "b1"); s.Refused == nil || s.Refused.ClientID != "ESP32_a1" || s.Refused.Reason != "client_id" {
			t.Errorf("refused %+v", s.Refused)
		}
		v := get(t, p, "b1").V
		settle()
		if s := get(t, p, "b1"); s.V != v || get(t, p, "b2").Refused != nil {
			t.Errorf("the same refusal is a change, or another's: %+v", s)
		}
		w.refused.Store(nil)
		settle()
		if s := get(t, p, "b1"); s.Refused != nil {
			t.Errorf("still refused: %+v", s.Refused)
		}
	})
}
