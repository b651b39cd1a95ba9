package hub_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"watchhouse/dashboard/live"
	"watchhouse/internal/testkit"
)

// shown waits until the page's state of a device is as wanted.
func (s *shop) shown(id string, wanted func(d live.DeviceState) bool) {
	s.t.Helper()
	testkit.Eventually(s.t, 20*time.Second, func() string {
		status, text := s.operator.Do("GET", "/api/v1/devices/"+id, nil)
		var d live.DeviceState
		if err := json.Unmarshal(text, &d); err == nil && status == http.StatusOK && wanted(d) {
			return ""
		}
		return fmt.Sprintf("%s shows %s (status %d)", id, text, status)
	})
}

func online(want bool) func(d live.DeviceState) bool {
	return func(d live.DeviceState) bool { return d.Online != nil && *d.Online == want }
}

// A bridge is on the page like a device, and while it is gone nobody is told that its devices are there.
func TestABridgeDiesAndComesBack(t *testing.T) {
	s := openShop(t)
	s.publish(s.zigbee, "zigbee2mqtt/三楼/床头/availability", 1, true, `{"state":"online"}`)
	s.shown("bed-2", online(true))
	s.shown("zigbee2mqtt", func(d live.DeviceState) bool { return d.Kind == "bridge" && d.LastSeen > 0 && online(true)(d) })
	s.publish(s.zigbee, "zigbee2mqtt/bridge/state", 1, true, `{"state":"offline"}`)
	s.shown("bed-2", online(false))
	s.shown("zigbee2mqtt", online(false))
	s.publish(s.zigbee, "zigbee2mqtt/bridge/state", 1, true, `{"state":"online"}`)
	s.publish(s.zigbee, "zigbee2mqtt/三楼/床头/availability", 1, true, `{"state":"online"}`)
	s.shown("bed-2", online(true))
	s.zigbee.Disconnect(0)
	s.shown("bed-2", online(false))
	s.shown("zigbee2mqtt", online(false))
	s.shown("chirpstack", online(true))
	s.zigbee = s.bridge("zigbee2mqtt")
	s.publish(s.zigbee, "zigbee2mqtt/三楼/床头/availability", 1, true, `{"state":"online"}`)
	s.shown("bed-2", online(true))
}

// A module with its library's client id is refused. Whoever installs it reads why on the device's page.
func TestARefusedClientIDIsOnTheDevicesPage(t *testing.T) {
	s := openShop(t)
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + s.MQTTAddr()).SetClientID("ESP32_a1b2c3").SetUsername("tb-1").
		SetPassword(testkit.Secret))
	if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() == nil {
		t.Fatal("let in")
	}
	s.shown("tb-1", func(d live.DeviceState) bool {
		return d.Refused != nil && d.Refused.ClientID == "ESP32_a1b2c3" && d.Refused.Reason == "client_id" && d.Refused.At > 0
	})
	s.connect("tb-1", testkit.Secret, "tb-1")
	s.shown("tb-1", func(d live.DeviceState) bool { return d.Refused == nil && online(true)(d) })
}
