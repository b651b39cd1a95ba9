package hub_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"watchhouse/alerts"
	"watchhouse/internal/testkit"
	"watchhouse/telemetry"
)

// ended waits until the hub has ended a device's connection.
func ended(t *testing.T, d *testkit.Device) {
	t.Helper()
	began := time.Now()
	testkit.Eventually(t, 10*time.Second, func() string {
		if d.IsConnectionOpen() {
			return d.ID + " is still connected"
		}
		return ""
	})
	t.Logf("%s was disconnected after %v", d.ID, time.Since(began).Round(time.Millisecond))
}

// signedIn connects a device, which must succeed or fail as wanted.
func signedIn(t *testing.T, h *testkit.Hub, id, secret string, want bool) *testkit.Device {
	t.Helper()
	d, err := h.TryConnect(id, secret)
	if (err == nil) != want {
		t.Fatalf("%s connects: %v, want it to succeed: %v", id, err, want)
	}
	return d
}

func isFrom(device string) func(alerts.Incident) bool {
	return func(i alerts.Incident) bool { return i.Device == device && i.Priority == 1 }
}

// A secret renewed over REST ends the device's connections at once; only the new secret opens again.
func TestARenewedSecretDisconnectsTheDevice(t *testing.T) {
	h := testkit.StartHub(t)
	h.AddDevices(telemetry.EmergencyButton, "btn-1", "btn-2")
	operator := h.SignIn("admin", testkit.Password)
	button, other := signedIn(t, h, "btn-1", testkit.Secret, true), signedIn(t, h, "btn-2", testkit.Secret, true)
	var renewed struct{ Secret string }
	operator.Want(http.StatusOK, "POST", "/api/v1/devices/btn-1/secret", nil, &renewed)
	ended(t, button)
	signedIn(t, h, "btn-1", testkit.Secret, false)
	signedIn(t, h, "btn-1", renewed.Secret, true).Send("event", `{"type":"sos","boot":1,"seq":1}`)
	other.Send("event", `{"type":"test","boot":1,"seq":1}`)
	if !other.IsConnectionOpen() {
		t.Error("the other device was disconnected too")
	}
}

func TestADeletedDeviceIsDisconnected(t *testing.T) {
	h := testkit.StartHub(t)
	h.AddDevices(telemetry.EmergencyButton, "btn-1")
	button := signedIn(t, h, "btn-1", testkit.Secret, true)
	h.SignIn("admin", testkit.Password).Want(http.StatusNoContent, "DELETE", "/api/v1/devices/btn-1", nil, nil)
	ended(t, button)
	signedIn(t, h, "btn-1", testkit.Secret, false)
}

// A child that moved away: what its old gateway sends for it is kept as a reject, and no incident comes of it.
func TestAMovedChildIsRefusedFromItsOldGateway(t *testing.T) {
	h := testkit.StartHub(t)
	h.AddDevices(telemetry.Gateway, "gw-1", "gw-2")
	operator := h.SignIn("admin", testkit.Password)
	child := map[string]any{"kind": "emergency_button", "gateway": "gw-1"}
	operator.Want(http.StatusCreated, "POST", "/api/v1/devices", map[string]any{"id": "elder-7", "kind": "emergency_button", "gateway": "gw-2"}, nil)
	operator.Want(http.StatusOK, "PUT", "/api/v1/devices/elder-7", child, nil)
	one, two := signedIn(t, h, "gw-1", testkit.Secret, true), signedIn(t, h, "gw-2", testkit.Secret, true)
	const sos = `{"type":"sos","boot":1,"seq":1}`
	two.Send("child/elder-7/event", sos)
	testkit.Eventually(t, 10*time.Second, func() string {
		_, text := operator.Do("GET", "/api/v1/journal/rejects", nil)
		if strings.Contains(string(text), "wh/v1/gw-2/child/elder-7/event") {
			return ""
		}
		return "rejects: " + string(text)
	})
	if open := operator.OpenIncidents(); len(open) != 0 {
		t.Errorf("open incidents %+v, want none of a gateway that the child is not behind", open)
	}
	one.Send("child/elder-7/event", sos)
	oneIncident(t, operator, isFrom("elder-7"))
	if !two.IsConnectionOpen() {
		t.Error("the old gateway was disconnected, though it has a right to stay")
	}
}

// A device out of service keeps its connection, and its call still counts: people press the button that they have.
func TestAPressOfADeviceOutOfService(t *testing.T) {
	h := testkit.StartHub(t)
	h.AddDevices(telemetry.EmergencyButton, "btn-1")
	operator := h.SignIn("admin", testkit.Password)
	button := signedIn(t, h, "btn-1", testkit.Secret, true)
	operator.Want(http.StatusOK, "PUT", "/api/v1/devices/btn-1", map[string]any{"kind": "emergency_button", "out_of_service": true}, nil)
	button.Send("event", `{"type":"sos","boot":1,"seq":1}`)
	oneIncident(t, operator, isFrom("btn-1"))
}
