package hub_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"watchhouse/alerts"
	"watchhouse/internal/testkit"
	"watchhouse/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// oneIncident waits until exactly one incident is open that satisfies accept, and gives it.
func oneIncident(t *testing.T, o *testkit.Operator, accept func(alerts.Incident) bool) alerts.Incident {
	t.Helper()
	var found alerts.Incident
	testkit.Eventually(t, 10*time.Second, func() string {
		open := o.OpenIncidents()
		if len(open) == 1 && accept(open[0]) {
			found = open[0]
			return ""
		}
		text, _ := json.Marshal(open)
		return fmt.Sprintf("open incidents: %s", text)
	})
	return found
}

func TestAPressBecomesOneIncidentThatSurvivesARestart(t *testing.T) {
	h := testkit.StartHub(t)
	h.AddDevices(telemetry.EmergencyButton, "btn-1")
	button := h.Connect("btn-1")
	operator := h.SignIn("admin", testkit.Password)
	button.Send("event", `{"type":"sos","boot":1,"seq":1}`)
	raised := oneIncident(t, operator, func(i alerts.Incident) bool { return i.Rule == "EB-SOS" && i.Priority == 1 })

	operator.Want(http.StatusOK, "POST", "/api/v1/incidents/"+raised.ID+"/acknowledge", map[string]string{}, nil, "Idempotency-Key", "k1")
	h.Restart()
	operator = h.SignIn("admin", testkit.Password)
	kept := oneIncident(t, operator, func(i alerts.Incident) bool { return i.State == alerts.StateAcknowledged })
	if kept.ID != raised.ID || kept.AcknowledgedBy != "admin" {
		t.Errorf("after the restart %s acknowledged by %q, want %s by admin", kept.ID, kept.AcknowledgedBy, raised.ID)
	}
	operator.Want(http.StatusOK, "POST", "/api/v1/incidents/"+raised.ID+"/acknowledge", map[string]string{}, nil, "Idempotency-Key", "k1")
}

// The wire rules of DESIGN section 4, from the socket to the incident.
func TestPressesOnTheWire(t *testing.T) {
	late := time.Now().Add(-time.Hour).UnixMilli()
	cases := []struct {
		name     string
		payloads []string
		accept   func(alerts.Incident) bool
	}{
		{"five deliveries of one message are one occurrence", repeat(5, `{"type":"sos","boot":1,"seq":7}`), func(i alerts.Incident) bool {
			return i.Occurrences == 1 && i.Rule == "EB-SOS"
		}},
		{"a real second press is a further occurrence", []string{`{"type":"sos","boot":1,"seq":1}`, `{"type":"sos","boot":1,"seq":2}`}, func(i alerts.Incident) bool {
			return i.Occurrences == 2
		}},
		{"presses without identity are never dropped", repeat(2, `{"type":"sos"}`), func(i alerts.Incident) bool { return i.Occurrences == 2 }},
		{"a late press says so", []string{fmt.Sprintf(`{"type":"sos","boot":1,"seq":1,"ts":%d}`, late)}, func(i alerts.Incident) bool {
			return i.Priority == 1 && slices.Contains(i.Badges, "delayed")
		}},
		{"a broken clock says so", []string{`{"type":"sos","boot":1,"seq":1,"ts":86400000}`}, func(i alerts.Incident) bool {
			return i.Priority == 1 && slices.Contains(i.Badges, "clock_fault")
		}},
		{"an unknown type is an unreadable call", []string{`{"type":"help"}`}, unreadable},
		{"garbage is an unreadable call", []string{"\x00\xff\x13{{"}, unreadable},
		{"an empty payload is an unreadable call", []string{""}, unreadable},
	}
	h := testkit.StartHub(t)
	operator := h.SignIn("admin", testkit.Password)
	for n, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			id := fmt.Sprintf("btn-%d", n)
			h.AddDevices(telemetry.EmergencyButton, id)
			button := h.Connect(id)
			for _, payload := range c.payloads {
				button.Send("event", payload)
			}
			wantIncident(t, operator, id, c.accept)
		})
	}
}

func TestARaceOfTwoPublishersIsOneIncident(t *testing.T) {
	h := testkit.StartHub(t)
	h.AddDevices(telemetry.EmergencyButton, "btn-1")
	first, second := h.Connect("btn-1"), h.ConnectAs("btn-1", "btn-1~second")
	var both sync.WaitGroup
	for _, device := range []*testkit.Device{first, second} {
		both.Go(func() {
			device.Publish("wh/v1/btn-1/event", 1, false, `{"type":"sos","boot":4,"seq":9}`).WaitTimeout(10 * time.Second)
		})
	}
	both.Wait()
	oneIncident(t, h.SignIn("admin", testkit.Password), func(i alerts.Incident) bool { return i.Occurrences == 1 })
}

func TestAPressOverWebSocketOnThePagesAddress(t *testing.T) {
	h := testkit.StartHub(t)
	h.AddDevices(telemetry.EmergencyButton, "btn-1")
	h.ConnectWebSocket("btn-1").Send("event", `{"type":"sos","boot":1,"seq":1}`)
	oneIncident(t, h.SignIn("admin", testkit.Password), func(i alerts.Incident) bool { return i.Rule == "EB-SOS" })
}

func wantIncident(t *testing.T, o *testkit.Operator, device string, accept func(alerts.Incident) bool) {
	t.Helper()
	testkit.Eventually(t, 10*time.Second, func() string {
		var list struct {
			Items []alerts.Incident `json:"items"`
		}
		o.Want(http.StatusOK, "GET", "/api/v1/incidents?state=open&device="+device, nil, &list)
		if len(list.Items) == 1 && accept(list.Items[0]) {
			return ""
		}
		text, _ := json.Marshal(list.Items)
		return fmt.Sprintf("incidents of %s: %s", device, text)
	})
}

func unreadable(i alerts.Incident) bool {
	return i.Priority == 1 && slices.Contains(i.Badges, "unreadable")
}

func repeat(n int, payload string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = payload
	}
	return all
}
