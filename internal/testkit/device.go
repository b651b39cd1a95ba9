package testkit

import (
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// publishLimit bounds one acknowledged publish in a test.
const publishLimit = 20 * time.Second

// Device is an MQTT 3.1.1 connection of a registered device.
type Device struct {
	mqtt.Client
	tb testing.TB
	ID string
}

// Connect connects a device made by AddDevices.
func (h *Hub) Connect(id string) *Device {
	h.tb.Helper()
	return h.ConnectAs(id, id)
}

// ConnectAs connects a device under another client id.
func (h *Hub) ConnectAs(id, clientID string) *Device {
	h.tb.Helper()
	return h.connect("tcp://"+h.MQTTAddr(), id, clientID)
}

// ConnectWebSocket connects a device through the address of the page.
func (h *Hub) ConnectWebSocket(id string) *Device {
	h.tb.Helper()
	return h.connect("ws://"+h.HTTPAddr()+"/mqtt", id, id)
}

// TryConnect connects once with a secret and stays away when the connection ends; the error is the hub's answer.
func (h *Hub) TryConnect(id, secret string) (*Device, error) {
	h.tb.Helper()
	options := mqtt.NewClientOptions().AddBroker("tcp://" + h.MQTTAddr()).SetClientID(id).SetUsername(id).SetPassword(secret).
		SetAutoReconnect(false).SetConnectRetry(false)
	d := &Device{Client: mqtt.NewClient(options), tb: h.tb, ID: id}
	token := d.Connect()
	if !token.WaitTimeout(publishLimit) {
		h.tb.Fatalf("connect %s: no answer", id)
	}
	h.tb.Cleanup(func() { d.Disconnect(0) })
	return d, token.Error()
}

func (h *Hub) connect(broker, id, clientID string) *Device {
	h.tb.Helper()
	options := mqtt.NewClientOptions().AddBroker(broker).SetClientID(clientID).SetUsername(id).SetPassword(Secret).
		SetAutoReconnect(true).SetMaxReconnectInterval(200 * time.Millisecond).SetConnectRetry(true).SetConnectRetryInterval(100 * time.Millisecond)
	d := &Device{Client: mqtt.NewClient(options), tb: h.tb, ID: id}
	if token := d.Connect(); !token.WaitTimeout(publishLimit) || token.Error() != nil {
		h.tb.Fatalf("connect %s: %v", id, token.Error())
	}
	h.tb.Cleanup(func() { d.Disconnect(0) })
	return d
}

// Send publishes with QoS 1 and waits for the acknowledgement.
func (d *Device) Send(channel, payload string) {
	d.tb.Helper()
	token := d.Publish("wh/v1/"+d.ID+"/"+channel, 1, false, payload)
	if !token.WaitTimeout(publishLimit) || token.Error() != nil {
		d.tb.Fatalf("publish %s of %s: %v", channel, d.ID, token.Error())
	}
}
