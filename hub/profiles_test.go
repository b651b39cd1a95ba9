package hub_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"watchhouse/alerts"
	"watchhouse/internal/testkit"
	"watchhouse/registry"
)

const devEUI = "24e124535b316056"

// shop is a hub with devices bought in a shop: two buttons, a fill sensor and a smoke detector behind bridges, and a device that only
// knows the device API of ThingsBoard.
type shop struct {
	*testkit.Hub
	t            *testing.T
	lora, zigbee mqtt.Client
	operator     *testkit.Operator
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{Hub: testkit.StartHub(t), t: t}
	devices := []registry.Device{
		{ID: "bed-1", Model: "milesight-ws101", Address: devEUI},
		{ID: "bin-1", Model: "milesight-em310-udl", Address: "24e124713c140001", Settings: "empty_mm=1000;full_mm=200;stream=wet"},
		{ID: "bed-2", Model: "zigbee-sos-button", Address: "三楼/床头"},
		{ID: "smoke-1", Model: "zigbee-smoke", Address: "车库"},
		{ID: "tb-1", Model: "thingsboard-button"},
	}
	if _, err := s.Registry().PutDevices(t.Context(), "test", devices, map[string]string{"tb-1": testkit.Secret}); err != nil {
		t.Fatal(err)
	}
	for id, filter := range map[string]string{"chirpstack": "application/#", "zigbee2mqtt": "zigbee2mqtt/#"} {
		grants := []registry.Grant{{Filter: filter, Publish: true, Subscribe: true}}
		if _, err := s.Registry().PutAccess(t.Context(), "test", id, grants, testkit.Secret); err != nil {
			t.Fatal(err)
		}
	}
	s.lora, s.zigbee = s.bridge("chirpstack"), s.bridge("zigbee2mqtt")
	s.operator = s.SignIn("admin", testkit.Password)
	return s
}

// bridge connects an account as such programs do: one connection that comes back by itself.
func (s *shop) bridge(id string) mqtt.Client { return s.connect(id, testkit.Secret, id) }

func (s *shop) connect(user, secret, clientID string) mqtt.Client {
	s.t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + s.MQTTAddr()).SetClientID(clientID).SetUsername(user).SetPassword(secret).
		SetAutoReconnect(true).SetMaxReconnectInterval(200 * time.Millisecond))
	if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		s.t.Fatalf("connect %s: %v", clientID, token.Error())
	}
	s.t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func (s *shop) publish(c mqtt.Client, topic string, qos byte, retained bool, payload string) {
	s.t.Helper()
	testkit.Eventually(s.t, 10*time.Second, func() string {
		if c.IsConnectionOpen() {
			return ""
		}
		return "the bridge is not connected"
	})
	if token := c.Publish(topic, qos, retained, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		s.t.Fatalf("publish %s: %v", topic, token.Error())
	}
}

func (s *shop) up(eui string, qos byte, id, object string) {
	s.t.Helper()
	s.publish(s.lora, "application/a/device/"+eui+"/event/up", qos, false, fmt.Sprintf(
		`{"deduplicationId":%q,"time":%q,"deviceInfo":{"devEui":%q},"fCnt":3,"object":%s,"rxInfo":[{"rssi":-101,"snr":3.5},{"rssi":-90}]}`,
		id, time.Now().Format(time.RFC3339Nano), eui, object))
}

// incidents lists what is open of a device.
func (s *shop) incidents(device string) []alerts.Incident {
	s.t.Helper()
	var of []alerts.Incident
	for _, i := range s.operator.OpenIncidents() {
		if i.Device == device {
			of = append(of, i)
		}
	}
	return of
}

// one waits for exactly one open incident of a device, with so many occurrences.
func (s *shop) one(device, rule string, occurrences int) alerts.Incident {
	s.t.Helper()
	var found []alerts.Incident
	testkit.Eventually(s.t, 10*time.Second, func() string {
		if found = s.incidents(device); len(found) == 1 && found[0].Rule == rule && found[0].Occurrences == occurrences && found[0].Priority == 1 {
			return ""
		}
		text, _ := json.Marshal(found)
		return fmt.Sprintf("open incidents of %s: %s", device, text)
	})
	return found[0]
}

// metrics waits until a device shows these numbers.
func (s *shop) metrics(device string, want map[string]float64) {
	s.t.Helper()
	testkit.Eventually(s.t, 10*time.Second, func() string {
		status, text := s.operator.Do("GET", "/api/v1/devices/"+device, nil)
		var state struct {
			Metrics map[string]float64 `json:"metrics"`
		}
		if err := json.Unmarshal(text, &state); err == nil && status == http.StatusOK && maps.Equal(state.Metrics, want) {
			return ""
		}
		return fmt.Sprintf("%s shows %v (status %d), want %v", device, state.Metrics, status, want)
	})
}

// A button behind ChirpStack, with either quality of service: a press is one incident, the same uplink again is nothing, a retained copy
// is nothing, and a restart does not forget what was counted.
func TestAButtonBehindChirpStack(t *testing.T) {
	s := openShop(t)
	for n, qos := range []byte{0, 1} {
		id := fmt.Sprintf("press-%d", qos)
		s.up(devEUI, qos, id, `{"battery":91,"button_event":{"status":"short press","msgid":4711}}`)
		s.one("bed-1", "EB-SOS", n+1)
		s.up(devEUI, 1, id, `{"battery":91,"button_event":{"status":"short press","msgid":4711}}`)
		s.publish(s.lora, "application/a/device/"+devEUI+"/event/up", 1, true, `{"deduplicationId":"retained","object":{"press":"long"}}`)
	}
	s.metrics("bed-1", map[string]float64{"battery_pct": 91, "rssi_dbm": -90, "snr_db": 3.5})
	s.Restart()
	s.operator = s.SignIn("admin", testkit.Password)
	s.up(devEUI, 1, "press-1", `{"button_event":{"status":"short press","msgid":12}}`)
	s.up(devEUI, 1, "heartbeat", `{"battery":90}`)
	s.metrics("bed-1", map[string]float64{"battery_pct": 90, "rssi_dbm": -90, "snr_db": 3.5})
	s.one("bed-1", "EB-SOS", 2)
}

// A bin's sensor gives a fill level by the settings of its device; the network tells of its battery.
func TestAFillSensorBehindChirpStack(t *testing.T) {
	s := openShop(t)
	s.up("24E124713C140001", 0, "1", `{"distance":"400","position":"normal"}`)
	s.publish(s.lora, "application/a/device/24e124713c140001/event/status", 1, false, `{"margin":9,"batteryLevel":66.5}`)
	s.metrics("bin-1", map[string]float64{
		"distance_mm": 400, "fill_wet_pct": 75, "rssi_dbm": -90, "snr_db": 3.5, "battery_pct": 66.5, "link_margin_db": 9,
	})
}

// zigbee2mqtt repeats in every message what it knows: smoke is one incident however often it is told, over a restart too, and begins
// again only after it has ended. What it has retained raises nothing.
func TestASmokeDetectorBehindZigbee2MQTT(t *testing.T) {
	s := openShop(t)
	s.publish(s.zigbee, "zigbee2mqtt/车库", 0, false, `{"smoke":true,"battery":80,"linkquality":90}`)
	s.one("smoke-1", "SH-FIRE", 1)
	for range 3 {
		s.publish(s.zigbee, "zigbee2mqtt/车库", 1, false, `{"smoke":true,"battery":79,"linkquality":90}`)
	}
	s.Restart()
	s.operator = s.SignIn("admin", testkit.Password)
	s.publish(s.zigbee, "zigbee2mqtt/车库", 1, false, `{"smoke":true,"battery":78,"linkquality":90}`)
	s.publish(s.zigbee, "zigbee2mqtt/三楼/床头", 1, true, `{"action":"emergency"}`)
	s.publish(s.zigbee, "zigbee2mqtt/车库", 1, false, `{"smoke":false,"battery":77,"linkquality":90}`)
	s.metrics("smoke-1", map[string]float64{"battery_pct": 77, "link_quality": 90})
	s.one("smoke-1", "SH-FIRE", 1)
	s.publish(s.zigbee, "zigbee2mqtt/车库", 1, false, `{"smoke":true,"battery":76,"linkquality":90}`)
	s.one("smoke-1", "SH-FIRE", 2)
	if of := s.incidents("bed-2"); len(of) > 0 {
		t.Errorf("a retained copy raised %+v", of)
	}
	s.publish(s.zigbee, "zigbee2mqtt/三楼/床头", 0, false, `{"action":"emergency"}`)
	s.one("bed-2", "EB-SOS", 1)
}

// A device of ThingsBoard's knows one topic and one token, which is its user name.
func TestADeviceOfThingsBoard(t *testing.T) {
	s := openShop(t)
	c := s.connect("tb-1."+testkit.Secret, "", "ESP8266Client-77")
	s.publish(c, "v1/devices/me/telemetry", 1, false, `[{"temp_c":20.5},{"temp_c":21.5,"battery_pct":"55"}]`)
	s.publish(c, "v1/devices/me/attributes", 1, false, `{"firmware":"1.2"}`)
	s.metrics("tb-1", map[string]float64{"temp_c": 21.5, "battery_pct": 55})
	s.publish(c, "v1/devices/me/telemetry", 0, false, `{"sos":true}`)
	s.one("tb-1", "EB-SOS", 1)
}

// What cannot be understood from a button behind a bridge may be a call; a press of a button that nobody has registered is one.
func TestCallsThatNobodyCanPlace(t *testing.T) {
	s := openShop(t)
	s.up(devEUI, 1, "x", `{"button_event":{"status":"unknown"}}`)
	s.one("bed-1", "EB-UNREADABLE", 1)
	s.up("ffffffffffffff01", 0, "y", `{"press":"short"}`)
	s.up("ffffffffffffff01", 0, "z", `{"battery":12}`)
	unknown := s.one("chirpstack:ffffffffffffff01", "EB-UNREG", 1)
	if !unknown.HasBadge(alerts.BadgeUnknownPlace) {
		t.Errorf("badges %v", unknown.Badges)
	}
	s.publish(s.zigbee, "zigbee2mqtt/a remote control", 1, false, `{"action":"single"}`)
	s.publish(s.zigbee, "zigbee2mqtt/kitchen", 1, false, `{"smoke":true}`)
	s.one("zigbee2mqtt:kitchen", "EB-UNREG", 1)
	if of := s.incidents("zigbee2mqtt:a remote control"); len(of) > 0 {
		t.Errorf("a remote control raised %+v", of)
	}
}
