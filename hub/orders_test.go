package hub_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"watchhouse/alerts"
	"watchhouse/config"
	"watchhouse/internal/testkit"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// TestAFullBinIsAnOrder: from the readings to the contact's address, under one id; done when the sensor says so.
func TestAFullBinIsAnOrder(t *testing.T) {
	var mu sync.Mutex
	var posted []string
	office := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		posted = append(posted, string(body))
	}))
	t.Cleanup(office.Close)
	h := testkit.StartHub(t, func(c *config.Config) { c.LocalWebhooks = true })
	contact := registry.Contact{ID: "k-1", Duty: "sanitation", Webhook: office.URL}
	if err := h.Registry().PutContacts(t.Context(), "test", []registry.Contact{contact}, map[string]registry.Reach{"k-1": {Name: "王建国"}}); err != nil {
		t.Fatal(err)
	}
	h.AddDevices(telemetry.SortingPoint, "bin-1")
	bin, operator := h.Connect("bin-1"), h.SignIn("admin", testkit.Password)

	now := time.Now().UnixMilli()
	reading := func(minutesAgo, pct int) string {
		return fmt.Sprintf(`{"ts":%d,"fill_wet_pct":%d}`, now-int64(minutesAgo)*60_000, pct)
	}
	bin.Send("telemetry", "["+strings.Join([]string{reading(60, 82), reading(50, 83), reading(40, 84), reading(30, 85), reading(20, 85)}, ",")+"]")
	order := oneIncident(t, operator, func(i alerts.Incident) bool { return i.Rule == "WS-FULL" && i.Order })
	if order.Component != "wet" || order.Contact != "k-1" || order.Priority != 4 {
		t.Errorf("%+v", order)
	}
	testkit.Eventually(t, 10*time.Second, func() string {
		mu.Lock()
		defer mu.Unlock()
		if len(posted) == 1 {
			return ""
		}
		return fmt.Sprintf("posted %d times", len(posted))
	})
	var body struct {
		Incident, Device string
		Todo             struct{ ZH, EN string }
	}
	if err := json.Unmarshal([]byte(posted[0]), &body); err != nil || body.Incident != order.ID || body.Device != "bin-1" || body.Todo.ZH != "换桶。" || body.Todo.EN == "" {
		t.Errorf("posted %s, %v", posted[0], err)
	}

	bin.Disconnect(0) // two clients of one id would throw each other out
	h.Restart()
	bin, operator = h.Connect("bin-1"), h.SignIn("admin", testkit.Password)
	bin.Send("telemetry", "["+strings.Join([]string{reading(10, 5), reading(4, 6), reading(0, 6)}, ",")+"]")
	testkit.Eventually(t, 20*time.Second, func() string {
		var got struct{ Incident alerts.Incident }
		operator.Want(http.StatusOK, "GET", "/api/v1/incidents/"+order.ID, nil, &got)
		if got.Incident.State == alerts.StateClosed {
			return ""
		}
		return "the order is " + string(got.Incident.State)
	})
	mu.Lock()
	defer mu.Unlock()
	for _, again := range posted[1:] { // the hub may have stopped before it noted the answer
		if again != posted[0] {
			t.Errorf("posted %s, and before %s", again, posted[0])
		}
	}
}
