package broker

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"watchhouse/journal"
	"watchhouse/registry"
)

// withBridges is a broker on the real registry, with two bridges and devices behind them.
func withBridges(t *testing.T) *house {
	t.Helper()
	ctx := context.Background()
	j := openJournal(t, t.TempDir())
	reg := openRegistry(t, j)
	devices := []registry.Device{
		{ID: "lora", Model: "milesight-ws101", Address: "24e124535b316056"},
		{ID: "leak", Model: "zigbee-leak", Address: "底楼/水浸"},
		{ID: "tb", Model: "thingsboard-button"},
		{ID: "ali", Model: "alink-button", Address: "dn1"},
	}
	if _, err := reg.PutDevices(ctx, "test", devices, map[string]string{"tb": "a.secret-of-tb", "ali": "a-secret-of-ali"}); err != nil {
		t.Fatal(err)
	}
	for id, filter := range map[string]string{"cs": "application/#", "z2m": "zigbee2mqtt/#"} {
		if _, err := reg.PutAccess(ctx, "test", id, []registry.Grant{{Filter: filter, Publish: true, Subscribe: true}}, "secret-"+id); err != nil {
			t.Fatal(err)
		}
	}
	h := &house{t: t, journal: j, log: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if h.Broker, err = New(testConfig(), Deps{Journal: j, Registry: reg, Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Stop(ctx); err != nil {
			t.Error(err)
		}
		_ = j.Close(ctx)
	})
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	return h
}

// Which lane takes what a bridge publishes: calls must not wait behind readings, strangers must not fill life.
func TestBridgesMessagesGoWhereTheirDevicesBelong(t *testing.T) {
	const press = `{"deduplicationId":"1","object":{"press":"short"}}`
	up := func(eui, event string) string { return "application/a/device/" + eui + "/event/" + event }
	for _, tc := range []struct {
		bridge, topic, payload string
		lane                   journal.LaneName
	}{
		{"cs", up("24e124535b316056", "up"), `{"object":{"battery":90}}`, journal.EventLane}, // raw: nobody has read it yet
		{"cs", up("24E124535B316056", "up"), press, journal.EventLane},
		{"cs", up("24e124535b316056", "status"), `{"batteryLevel":90}`, journal.TelemetryLane},
		{"cs", up("24e124535b316056", "log"), `{}`, journal.TelemetryLane},
		{"cs", up("0000000000000001", "up"), `{"object":{"battery":90}}`, journal.TelemetryLane},
		{"cs", up("0000000000000001", "up"), press, journal.EventLane},
		{"z2m", "zigbee2mqtt/底楼/水浸", `{"water_leak":false}`, journal.EventLane},
		{"z2m", "zigbee2mqtt/底楼/水浸/availability", `{"state":"online"}`, journal.StateLane},
		{"z2m", "zigbee2mqtt/remote", `{"action":"single"}`, journal.TelemetryLane}, // a lamp's remote control says so too
		{"z2m", "zigbee2mqtt/kitchen", `{"smoke":true}`, journal.EventLane},
		{"z2m", "zigbee2mqtt/bridge/devices", `[]`, journal.TelemetryLane},
	} {
		t.Run(tc.topic+" "+tc.payload, func(t *testing.T) {
			h := withBridges(t)
			w := h.join(hello{user: tc.bridge, v5: true})
			w.publish(pub{topic: tc.topic, payload: tc.payload, qos: 1, id: 1})
			w.expectAck(typePuback, 1, 0)
			for _, lane := range []journal.LaneName{journal.EventLane, journal.StateLane, journal.TelemetryLane} {
				if list := h.stored(lane); len(list) != map[bool]int{true: 1}[lane == tc.lane] {
					t.Errorf("lane %s has %d messages, want the message in %s", lane, len(list), tc.lane)
				}
			}
		})
	}
}

// zigbee2mqtt tells by a will that it is gone. It must be let in with it, and the will says nothing about a device.
func TestABridgeMayHaveAWill(t *testing.T) {
	h := withBridges(t)
	w := h.join(hello{user: "z2m", will: &will{topic: "zigbee2mqtt/bridge/state", payload: []byte(`{"state":"offline"}`), qos: 1, retain: true}})
	_ = w.nc.Close()
	eventually(t, "the will is stored", func() bool { return len(h.stored(journal.StateLane)) == 1 })
	if kept := h.retained.matching("zigbee2mqtt/#"); len(kept) > 0 {
		t.Errorf("retained for later subscribers: %v", kept)
	}
	for _, topic := range []string{"wh/v1/lora/event", "wh/v1/lora/status"} {
		if code, _ := h.dial().connect(hello{user: "z2m", will: offline(topic)}); code != 5 && code != 4 {
			t.Errorf("a will on %s: CONNACK %#x", topic, code)
		}
	}
}

// A device of a platform is answered as there, on its own reply topic, when its report is on disk. It may ask for the answers to
// itself, and for nobody else's.
func TestAPlatformsDeviceIsAnswered(t *testing.T) {
	h := withBridges(t)
	w := h.join(hello{user: "ali", secret: "a-secret-of-ali"})
	for filter, granted := range map[string]bool{
		"/sys/pk/dn1/thing/event/property/post_reply": true, "/sys/pk/dn1/#": true, "/sys/+/dn1/thing/event/+/post_reply": true,
		"/sys/pk/dn2/#": false, "/sys/pk/+/thing/event/property/post_reply": false, "/sys/#": false, "#": false, "zigbee2mqtt/#": false,
	} {
		if code := w.subscribe(filter, 0, 9); (code < 0x80) != granted {
			t.Errorf("SUBSCRIBE %s: %#x, want granted %v", filter, code, granted)
		}
	}
	const post = "/sys/pk/dn1/thing/event/property/post"
	w.publish(pub{topic: post, payload: `{"id":"77","params":{"SOS":1}}`, qos: 1, id: 1})
	w.expectAck(typePuback, 1, 0)
	if d := w.delivery(); d.topic != post+"_reply" || !strings.Contains(d.payload, `"id":"77","code":200`) {
		t.Errorf("the answer is %+v", d)
	}
	if n := len(h.stored(journal.EventLane)); n != 1 {
		t.Errorf("%d calls are kept", n)
	}
}

// A device that knows an access token only: user name {id}.{secret}, no password, any client id.
func TestAccessToken(t *testing.T) {
	h := withBridges(t)
	for _, tc := range []struct {
		token, client string
		want          string // client id of the session, "" = refused
	}{
		{"tb.a.secret-of-tb", "", "tb~auto"},
		{"tb.a.secret-of-tb", "ESP8266-17", "tb~ESP8266-17"},
		{"tb.a.secret-of-tb", "tb.a.secret-of-tb", "tb~token"},
		{"tb.a.secret-of-tb", "a client id with blanks", "tb~token"},
		{"tb.a.secret-of-tb", "tb~second", "tb~second"},
		{"tb.wrong-secret", "x", ""},
		{"lora.a.secret-of-tb", "x", ""},
		{"tb", "tb", ""},
		{"cs.secret-cs", "cs", ""}, // tokens are of devices
	} {
		o := mqtt.NewClientOptions().AddBroker("tcp://" + h.Addr()).SetClientID(tc.client).SetUsername(tc.token).SetAutoReconnect(false)
		c := mqtt.NewClient(o)
		token := c.Connect()
		if !token.WaitTimeout(patient10) || (token.Error() == nil) != (tc.want != "") {
			t.Errorf("client %q: %v, want let in: %v", tc.client, token.Error(), tc.want != "")
		}
		if tc.want == "" {
			continue
		}
		if sent := c.Publish("v1/devices/me/telemetry", 1, false, `{"temperature":21}`); !sent.WaitTimeout(patient10) || sent.Error() != nil {
			t.Error(sent.Error())
		}
		c.Disconnect(0)
		list := h.stored(journal.EventLane)
		last := list[len(list)-1]
		if last.Device != "tb" || !strings.HasPrefix(last.Client, tc.want) {
			t.Errorf("stored as %q of %q, want client %q", last.Client, last.Device, tc.want)
		}
	}
	if strings.Contains(h.log.String(), "secret") {
		t.Errorf("a token is in the log:\n%s", h.log.String())
	}
}

// The topic without a name is for the devices whose model speaks so, and for nobody else.
func TestOnlyTheirOwnDevicesUseTheTopicWithoutAName(t *testing.T) {
	h := withBridges(t)
	w := h.join(hello{user: "z2m", v5: true})
	w.publish(pub{topic: "v1/devices/me/telemetry", payload: `{"sos":true}`, qos: 1, id: 1})
	w.expectAck(typePuback, 1, codeNotAuthorized)
	if n := len(h.stored(journal.EventLane)); n > 0 {
		t.Errorf("%d events stored", n)
	}
}
