package broker

import (
	"strings"
	"testing"

	"watchhouse/journal"
)

// Bridges of other brokers set the highest bit of the level; a level that is not spoken is answered by return code 1.
func TestProtocolLevels(t *testing.T) {
	h := start(t)
	tests := []struct {
		protocol string
		level    byte
		code     byte
		silent   bool // closed without an answer
	}{
		{"MQTT", 4, 0, false},
		{"MQTT", 0x84, 0, false},
		{"MQIsdp", 3, 0, false},
		{"MQIsdp", 0x83, 0, false},
		{"MQTT", 3, 1, false},
		{"MQTT", 0x83, 1, false},
		{"MQTT", 6, 1, false},
		{"MQTT", 0x85, 1, false},
		{"MQTT", 0xFF, 1, false},
		{"MQIsdp", 4, 1, false},
		{"MQIsdp", 0x84, 1, false},
		{"hj", 4, 0, true},
		{"MQTTx", 4, 0, true},
	}
	for _, tt := range tests {
		w := h.dial()
		if tt.silent {
			w.write(hello{user: "btn-1", protocol: tt.protocol, level: tt.level}.packet())
			w.expectClosed()
			continue
		}
		if code, _ := w.connect(hello{user: "btn-1", protocol: tt.protocol, level: tt.level}); code != tt.code {
			t.Errorf("%s %#x: CONNACK %d, want %d", tt.protocol, tt.level, code, tt.code)
		}
		if tt.code == 0 {
			w.ping()
		} else {
			w.expectClosed()
		}
	}
}

// A bridge gets the retain flag as it was published, and not what it has sent itself: else two brokers send one message for ever.
func TestABridgeGetsNoEcho(t *testing.T) {
	h := withBridges(t)
	topic := "zigbee2mqtt/bed-1/set"
	b := h.join(hello{user: "z2m", level: 0x84})
	b.subscribe("zigbee2mqtt/#", 0, 1)
	plain := h.join(hello{user: "z2m", id: "z2m~2"})
	plain.publish(pub{topic: topic, payload: "1", retain: true})
	if d := b.delivery(); d.payload != "1" || !d.retain {
		t.Errorf("delivered %+v, want the retain flag", d)
	}
	b.publish(pub{topic: topic, payload: "2"})
	plain.publish(pub{topic: topic, payload: "3"})
	if d := b.delivery(); d.payload != "3" {
		t.Errorf("delivered %+v, want the next message of another", d)
	}
}

// What other firmware and other brokers have as a will must not keep them out. What would speak for another device still does.
func TestAWillOfNoUseIsDropped(t *testing.T) {
	h := start(t)
	tests := []struct {
		name string
		user string
		will will
		code byte
	}{
		{"notice of a bridge", "bridge", will{topic: "$SYS/broker/connection/z2m/state", payload: []byte("0"), qos: 1, retain: true}, 0},
		{"outside the grant", "bridge", will{topic: "application/a/device/x/event/up", payload: []byte("x")}, 0},
		{"wildcard", "bridge", will{topic: "zigbee2mqtt/#", payload: []byte("x")}, 0},
		{"empty, of a bridge", "bridge", will{topic: "zigbee2mqtt/bridge/state"}, 0},
		{"empty", "btn-1", will{topic: "wh/v1/btn-1/status"}, 0},
		{"empty and retained", "btn-1", will{topic: "wh/v1/btn-1/status", retain: true, qos: 2}, 0},
		{"firmware's own topic", "btn-1", will{topic: "tele/btn-1/LWT", payload: []byte("Offline"), retain: true}, 0},
		{"another device", "btn-1", will{topic: "wh/v1/btn-2/status", payload: []byte("x")}, 5},
		{"another device, empty", "btn-1", will{topic: "wh/v1/btn-2/status"}, 5},
	}
	for _, tt := range tests {
		w := h.dial()
		if code, _ := w.connect(hello{user: tt.user, will: &tt.will}); code != tt.code {
			t.Errorf("%s: CONNACK %d, want %d", tt.name, code, tt.code)
		}
		_ = w.nc.Close()
	}
	eventually(t, "all sessions have ended", func() bool { return h.Stats().Connections == 0 })
	if wills := h.state.taken(journal.Will); len(wills) > 0 {
		t.Errorf("wills were fired: %+v", wills)
	}
}

// Mosquitto tells its peer with every connection that it is there. It is answered, kept nowhere, and never a reason to cut it off.
func TestNoticesOfABridgeAreAnswered(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "bridge", level: 0x84})
	for id := range uint16(3 * rejectsPerMinute) {
		w.publish(pub{topic: "$SYS/broker/connection/bridge/state", payload: "1", qos: 1, id: id + 1, retain: true})
		w.expectAck(typePuback, id+1, 0)
	}
	w.publish(pub{topic: "$SYS/broker/connection/bridge/state", payload: "1", qos: 2, id: 99})
	w.expectAck(typePubrec, 99, 0)
	w.publish(pub{topic: "zigbee2mqtt/bed-1", payload: `{}`, qos: 1, id: 100})
	w.expectAck(typePuback, 100, 0)
	if n := h.Stats().Rejected; n != 0 {
		t.Errorf("%d rejects", n)
	}
	d := h.join(hello{user: "btn-1"}) // of a device it is a foreign topic like any other
	d.publish(pub{topic: "$SYS/broker/connection/btn-1/state", qos: 1, id: 1})
	d.expectAck(typePuback, 1, 0)
	eventually(t, "a reject", func() bool { return h.Stats().Rejected == 1 })
}

// Who knows the secret and comes with a client id that is not its own is named, in the log and to the page; nobody else is.
func TestARefusedClientIDIsNamed(t *testing.T) {
	h := start(t)
	for id, shown := range map[string]string{
		"ESP32_a1b2c3":             "ESP32_a1b2c3",
		"设备-7":                     "设备-7",
		"a\nlevel=ERROR msg=x":     "a�level=ERROR msg=x",
		"x\x1b[31m\u202ered":       "x�[31m�red",
		"secret-btn-1":             "(the secret)",
		"tok~secret-btn-1~1":       "(the secret)",
		strings.Repeat("长", 300):   strings.Repeat("长", maxShownClientID) + "…",
		"btn-1~" + "bad suffix +#": "btn-1~bad suffix +#",
	} {
		w := h.dial()
		if code, _ := w.connect(hello{user: "btn-1", id: id}); code != 2 {
			t.Errorf("client id %q: CONNACK %d", id, code)
		}
		w.expectClosed()
		if x := h.Refusals()["btn-1"]; x.ClientID != shown || x.Reason != RefusedClientID || x.At == 0 {
			t.Errorf("client id %q: %+v, want %q", id, x, shown)
		}
	}
	if log := h.log.String(); !strings.Contains(log, "btn-1") || strings.Count(log, "the secret is right") != 1 || strings.Contains(log, "secret-btn-1") {
		t.Errorf("the log says: %s", log)
	}
	if code, _ := h.dial().connect(hello{user: "btn-2", id: "ESP32", secret: "guess"}); code != 5 {
		t.Errorf("wrong secret: CONNACK %d", code)
	}
	if _, named := h.Refusals()["btn-2"]; named {
		t.Error("somebody without the secret left a refusal")
	}
	h.join(hello{user: "btn-1"})
	if all := h.Refusals(); len(all) > 0 {
		t.Errorf("still refused: %v", all)
	}
}
