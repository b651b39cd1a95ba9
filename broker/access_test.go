package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"watchhouse/journal"
)

func TestSignIn(t *testing.T) {
	h := start(t)
	foreign := &will{topic: "wh/v1/btn-2/status", payload: []byte("x")}
	notStatus := &will{topic: "wh/v1/btn-1/event", payload: []byte("x")}
	own := &will{topic: "wh/v1/btn-1/status", payload: []byte("x")}
	tests := []struct {
		name   string
		hello  hello
		v3, v5 byte
	}{
		{"device", hello{user: "btn-1"}, 0, 0},
		{"suffix", hello{user: "btn-1", id: "btn-1~telemetry"}, 0, 0},
		{"no client id", hello{user: "btn-1", noID: true}, 0, 0},
		{"no client id, session kept", hello{user: "btn-1", noID: true, persist: true}, 2, 0},
		{"wrong secret", hello{user: "btn-1", secret: "guess"}, 5, 0x86},
		{"unknown", hello{user: "nobody"}, 5, 0x86},
		{"no name", hello{user: "", id: "btn-1"}, 5, 0x86},
		{"foreign client id", hello{user: "btn-1", id: "btn-2"}, 2, 0x85},
		{"longer client id", hello{user: "btn-1", id: "btn-11"}, 2, 0x85},
		{"empty suffix", hello{user: "btn-1", id: "btn-1~"}, 2, 0x85},
		{"wildcards in name", hello{user: "btn-1/#", id: "btn-1/#"}, 5, 0x86},
		{"will to another device", hello{user: "btn-1", will: foreign}, 5, 0x87},
		{"will to event", hello{user: "btn-1", will: notStatus}, 5, 0x87},
		{"will to own status", hello{user: "btn-1", will: own}, 0, 0},
	}
	for _, tt := range tests {
		for _, v5 := range []bool{false, true} {
			want := tt.v3
			if tt.hello.v5 = v5; v5 {
				want = tt.v5
			}
			w := h.dial()
			if code, _ := w.connect(tt.hello); code != want {
				t.Errorf("%s, v5 %v: CONNACK %#x, want %#x", tt.name, v5, code, want)
			}
			if want == 0 {
				w.ping()
			} else if w.expectClosed(); h.Stats().AuthFail == 0 {
				t.Errorf("%s: not counted", tt.name)
			}
		}
	}
	if wills := len(h.state.taken(journal.Will)); wills != 1 {
		t.Errorf("%d wills were published, want that of the one taken over", wills)
	}
}

func TestAssignedClientIDIsTold(t *testing.T) {
	h := start(t)
	_, connack := h.dial().connect(hello{user: "btn-1", v5: true, noID: true})
	if !strings.Contains(string(connack), "btn-1~auto") {
		t.Errorf("CONNACK % x", connack)
	}
}

func TestEnhancedAuthenticationIsRefused(t *testing.T) {
	h := start(t)
	if code, _ := h.dial().connect(hello{user: "btn-1", v5: true, props: lenText([]byte{21}, "SCRAM")}); code != 0x8C {
		t.Errorf("CONNACK %#x", code)
	}
}

// What a principal sends where it may not is kept with the reason, delivered to nobody, and answered as its version allows.
func TestForeignTopicIsKeptAsReject(t *testing.T) {
	h := start(t)
	eye := h.join(hello{user: "eye"})
	eye.subscribe("wh/v1/#", 0, 1)
	topics := map[string]string{
		"wh/v1/btn-2/event":               rejectForeign,
		"wh/v1/btn-1/child/btn-2/command": rejectCommand,
		"wh/v1/btn-1/command":             rejectCommand,
		"wh/v1/btn-1/nonsense":            rejectUnknown,
		"$SYS/broker":                     rejectForeign,
	}
	for topic, reason := range topics {
		for _, v5 := range []bool{false, true} {
			h.rates.windows = map[string]*window{}
			w := h.join(hello{user: "btn-1", v5: v5})
			code := byte(0)
			if v5 {
				code = codeNotAuthorized
			}
			w.publish(pub{topic: topic, payload: `{"type":"sos"}`, qos: 1, id: 1})
			w.expectAck(typePuback, 1, code)
			w.publish(pub{topic: topic, payload: "\xffraw", qos: 2, id: 2})
			w.expectAck(typePubrec, 2, code)
			w.publish(pub{topic: topic})
			w.ping()
			h.expectReject(topic, reason, `{"type":"sos"}`, `"\ufffdraw"`, "")
		}
	}
	if n := len(h.event.taken(journal.Publish)) + len(h.telemetry.taken(journal.Publish)); n != 0 {
		t.Errorf("%d of them reached a lane", n)
	}
	own := h.join(hello{user: "btn-1"})
	own.publish(pub{topic: "wh/v1/btn-1/event", payload: "own"})
	if d := eye.delivery(); d.payload != "own" {
		t.Errorf("a subscriber got %+v", d)
	}
}

// expectReject looks for the newest records of a topic in the rejects stream.
func (h *house) expectReject(topic, reason string, payloads ...string) {
	h.t.Helper()
	eventually(h.t, "rejects of "+topic, func() bool {
		records, err := h.journal.Stream("rejects").List(context.Background(), 0, 1000)
		if err != nil {
			h.t.Fatal(err)
		}
		var got []string
		for _, r := range records {
			var body rejected
			if err := json.Unmarshal(r.Body, &body); err != nil {
				h.t.Fatal(err)
			}
			if body.Topic == topic && body.Reason == reason && body.Device == "btn-1" {
				got = append(got, string(body.Payload))
			}
		}
		return strings.HasSuffix(strings.Join(got, "|"), strings.Join(payloads, "|"))
	})
}

// More than ten rejects a minute end the connection, and the next one of the same device at its first.
func TestElevenRejectsDisconnect(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", v5: true})
	p := pub{topic: "wh/v1/btn-2/event", qos: 1, id: 1}
	for range rejectsPerMinute {
		w.publish(p)
		w.expectAck(typePuback, 1, codeNotAuthorized)
	}
	w.publish(p)
	if _, last := w.expectClosed(); len(last) == 0 || last[0] != codeNotAuthorized {
		t.Errorf("DISCONNECT % x", last)
	}
	w = h.join(hello{user: "btn-1"})
	w.publish(p)
	w.expectClosed()
	h.expectReasons("btn-1", reasonRejects, reasonRejects)
	other := h.join(hello{user: "btn-2"})
	other.publish(pub{topic: "wh/v1/btn-1/event", qos: 1, id: 1})
	other.expectAck(typePuback, 1, 0)
}

// The access rules see the topic that an alias stands for, in every message.
func TestTopicAliasIsResolvedBeforeAccess(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", v5: true})
	alias := func(n byte) []byte { return []byte{propTopicAlias, 0, n} }
	w.publish(pub{topic: "wh/v1/btn-1/event", payload: "a", qos: 1, id: 1, props: alias(1)})
	w.expectAck(typePuback, 1, 0)
	w.publish(pub{payload: "b", qos: 1, id: 2, props: alias(1)})
	w.expectAck(typePuback, 2, 0)
	w.publish(pub{topic: "wh/v1/btn-2/event", payload: "c", qos: 1, id: 3, props: alias(1)})
	w.expectAck(typePuback, 3, codeNotAuthorized)
	w.publish(pub{payload: "d", qos: 1, id: 4, props: alias(1)})
	w.expectAck(typePuback, 4, codeNotAuthorized)
	list := h.stored(journal.EventLane)
	if len(list) != 2 || list[1].Topic != "wh/v1/btn-1/event" || string(list[1].Payload) != "b" {
		t.Errorf("stored %+v", list)
	}
	for _, n := range []byte{0, 9, maxAlias + 1} {
		w := h.join(hello{user: "btn-3", v5: true})
		w.publish(pub{qos: 1, id: 1, props: alias(n)})
		if _, last := w.expectClosed(); len(last) == 0 || last[0] != codeBadAlias {
			t.Errorf("alias %d: DISCONNECT % x", n, last)
		}
	}
	_, connack := h.dial().connect(hello{user: "btn-2", v5: true})
	if !strings.Contains(string(connack), string([]byte{34, 0, maxAlias})) {
		t.Errorf("CONNACK % x does not tell the alias maximum", connack)
	}
}

func TestInvalidTopicNamesEndTheConnection(t *testing.T) {
	h := start(t)
	for _, topic := range []string{"", "wh/v1/+/event", "wh/v1/#", "a\x00b", "\xff"} {
		w := h.join(hello{user: "btn-1", v5: true})
		w.publish(pub{topic: topic, qos: 1, id: 1})
		if _, last := w.expectClosed(); len(last) == 0 || last[0] != codeBadTopic {
			t.Errorf("%q: DISCONNECT % x", topic, last)
		}
	}
}

func TestGatewayPublishesForItsChildren(t *testing.T) {
	h := start(t)
	gw := h.join(hello{user: "gw-1"})
	lanes := map[string]journal.LaneName{
		"event": journal.EventLane, "telemetry": journal.TelemetryLane, "status": journal.StateLane, "command/ack": journal.StateLane,
	}
	for channel, lane := range lanes {
		topic := "wh/v1/gw-1/child/elder-7/" + channel
		gw.publish(pub{topic: topic, payload: channel, qos: 1, id: 1})
		gw.expectAck(typePuback, 1, 0)
		list := h.stored(lane)
		if last := list[len(list)-1]; last.Topic != topic || last.Device != "gw-1" || string(last.Payload) != channel {
			t.Errorf("%s: stored %+v", channel, last)
		}
	}
}

func TestBridgeOutsideTheWireGoesToTelemetry(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "bridge"})
	w.publish(pub{topic: "zigbee2mqtt/kitchen/door", payload: "{}", qos: 1, id: 1})
	w.expectAck(typePuback, 1, 0)
	if list := h.stored(journal.TelemetryLane); len(list) != 1 || list[0].Device != "bridge" {
		t.Errorf("stored %+v", list)
	}
}

func TestSubscriptionsAreDeniedByDefault(t *testing.T) {
	h := start(t)
	for user, filters := range map[string]map[string]bool{
		"btn-1": {
			"#": false, "+/v1/btn-1/command": false, "wh/v1/+/command": false, "wh/v1/btn-2/command": false, "wh/v1/btn-1/event": false,
			"$SYS/#": false, "$share/g/#": false, "$SHARE/g/wh/v1/btn-2/command": false, "$share/g": false,
			"wh/v1/btn-1/command": true,
		},
		"eye": {"wh/v1/+/event": true, "$share/g/wh/v1/#": true, "#": false, "zigbee2mqtt/#": false, "$SYS/broker/clients": false},
	} {
		for _, v5 := range []bool{false, true} {
			w := h.join(hello{user: user, v5: v5})
			id := uint16(0)
			for filter, want := range filters {
				id++
				if code := w.subscribe(filter, 0, id); (code == 0) != want {
					t.Errorf("%s, v5 %v, %s: SUBACK %#x", user, v5, filter, code)
				}
			}
		}
	}
}

// A right that is taken away ends deliveries, not only new subscriptions.
func TestDeletedDeviceIsDismissed(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", v5: true})
	h.people.remove("btn-1")
	if _, last := w.expectClosed(); len(last) == 0 || last[0] != codeAdministrator {
		t.Errorf("DISCONNECT % x", last)
	}
	h.expectReasons("btn-1", reasonRevoked)
}

func TestDisconnectDropsEveryConnection(t *testing.T) {
	h := start(t)
	a, b := h.join(hello{user: "gw-1"}), h.join(hello{user: "gw-1", id: "gw-1~telemetry"})
	if !h.Connected("gw-1") {
		t.Error("not connected")
	}
	h.Disconnect("gw-1")
	a.expectClosed()
	b.expectClosed()
	eventually(t, "gone", func() bool { return !h.Connected("gw-1") })
}

func TestTooManyConnections(t *testing.T) {
	h := open(t, t.TempDir(), func(c *Config) { c.MaxConnections = 2 })
	a := h.join(hello{user: "btn-1"})
	h.join(hello{user: "btn-2"})
	h.dial().expectClosed()
	_ = a.nc.Close()
	eventually(t, "there is room again", func() bool { return h.Stats().Connections == 1 })
	h.join(hello{user: "btn-3"})
}

func TestRecordsOfSessions(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", v5: true})
	remote := w.nc.LocalAddr().String()
	w.write([]byte{typeDisconnect << 4, 0})
	w.expectClosed()
	h.expectReasons("btn-1", reasonGoodbye)
	w = h.join(hello{user: "btn-1", persist: true})
	_ = w.nc.Close()
	h.expectReasons("btn-1", reasonGoodbye, reasonClosed)
	seen := h.state.taken(journal.Connect)
	for i, want := range []string{fmt.Sprintf(`{"protocol":5,"remote":%q,"clean":true}`, remote), `{"protocol":4,"remote":`} {
		m := seen[i]
		if !strings.HasPrefix(string(m.Payload), want) || m.Client != "btn-1" || m.Device != "btn-1" || m.Conn == 0 || m.ReceivedNS == 0 {
			t.Errorf("connect record %+v %s", m, m.Payload)
		}
	}
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	if first := h.state.seen[0]; first.Kind != journal.HubStart {
		t.Errorf("the first record is %+v, not hub_start", first)
	}
}
