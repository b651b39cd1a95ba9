package live_test

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
)

// What a bridge says of a device is shown as the device's own: readings from the event lane too, availability, signs of life.
func TestDevicesBehindABridge(t *testing.T) {
	const up = "application/a/device/24e124535b316056/event/"
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30 * 365 * 24 * time.Hour)
		w := newWorld(
			registry.Device{ID: "w", Kind: "emergency_button", Model: "milesight-ws101", Address: "24e124535b316056"},
			registry.Device{ID: "s", Kind: "garage", Model: "zigbee-smoke", Address: "底楼"},
		)
		p, stop := w.begin(t)
		defer stop()
		now := time.Now().UnixMilli()
		w.publish(journal.EventLane, "cs", up+"up", `{"object":{"battery":90},"rxInfo":[{"rssi":-101},{"rssi":-97,"snr":2}]}`, now)
		w.publish(journal.TelemetryLane, "cs", up+"status", `{"margin":7,"externalPowerSource":true}`, now+1)
		w.publish(journal.TelemetryLane, "cs", up+"txack", `{}`, now+2)
		w.publish(journal.TelemetryLane, "cs", "application/a/device/0000/event/up", `{"object":{"battery":1}}`, now+3)
		w.publish(journal.StateLane, "z2m", "zigbee2mqtt/底楼/availability", `{"state":"online"}`, now+4)
		w.publish(journal.EventLane, "z2m", "zigbee2mqtt/底楼", `{"smoke":false,"battery":77,"voltage":2900}`, now+5)
		settle()
		s := get(t, p, "w")
		want := map[string]float64{"battery_pct": 90, "rssi_dbm": -97, "snr_db": 2, "mains": 1, "link_margin_db": 7}
		if !maps.Equal(s.Metrics, want) || s.LastSeen != now+1 || s.Online != nil {
			t.Errorf("the button has %v, was seen at %d and is online: %s", s.Metrics, s.LastSeen-now, onlineText(s.Online))
		}
		s = get(t, p, "s")
		if want := map[string]float64{"battery_pct": 77, "battery_v": 2.9}; !maps.Equal(s.Metrics, want) || onlineText(s.Online) != "true" {
			t.Errorf("the detector has %v and is online: %s", s.Metrics, onlineText(s.Online))
		}
		w.publish(journal.StateLane, "z2m", "zigbee2mqtt/底楼/availability", `offline`, now+6)
		settle()
		if s = get(t, p, "s"); onlineText(s.Online) != "false" || s.LastSeen != now+5 {
			t.Errorf("gone, the detector is online: %s, seen at %d", onlineText(s.Online), s.LastSeen-now)
		}
	})
}
