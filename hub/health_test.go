package hub_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"watchhouse/config"
	"watchhouse/dashboard"
	"watchhouse/internal/testkit"
)

// What is out of order is told in four places, and they agree: /readyz, the API, the stream's heartbeat and the metrics.
func TestHealthIsOneThingEverywhere(t *testing.T) {
	h := testkit.StartHub(t, func(c *config.Config) {
		c.InfluxDB.URL = "http://127.0.0.1:1" // nobody answers
		c.Dashboard.Heartbeat = 100 * time.Millisecond
	})
	o := h.SignIn("admin", testkit.Password)
	var ready, api dashboard.Health
	testkit.Eventually(t, 10*time.Second, func() string {
		o.Want(http.StatusOK, "GET", "/readyz", nil, &ready)
		o.Want(http.StatusOK, "GET", "/api/v1/health", nil, &api)
		if ready.Degraded["influxdb"] == "" || !maps.Equal(ready.Degraded, api.Degraded) || !ready.Ready || !api.Ready {
			return "readyz and the API do not both say that InfluxDB is missing"
		}
		return ""
	})
	if codes := heartbeatCodes(t, h); !slices.Contains(codes, "influxdb") {
		t.Errorf("the heartbeat names %v, want influxdb", codes)
	}
	_, text := o.Do("GET", "/metrics", nil)
	for _, want := range []string{"watchhouse_ready 1", `watchhouse_degraded{reason="influxdb"} 1`, `watchhouse_degraded{reason="journal_life"} 0`} {
		if !strings.Contains(string(text), want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// heartbeatCodes opens a console and gives the codes of its first heartbeat.
func heartbeatCodes(t *testing.T, h *testkit.Hub) []string {
	t.Helper()
	token, err := h.Registry().NewToken(t.Context(), "test", "admin", "health")
	if err != nil {
		t.Fatal(err)
	}
	d := websocket.Dialer{Subprotocols: []string{"watchhouse.v1"}, HandshakeTimeout: 10 * time.Second}
	ws, res, err := d.Dial("ws://"+h.HTTPAddr()+"/api/v1/stream", http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	defer res.Body.Close()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"t":"hello","epoch":"","seq":0,"tab":"1"}`)); err != nil {
		t.Fatal(err)
	}
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			T        string   `json:"t"`
			Degraded []string `json:"degraded"`
		}
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		if f.T == "hb" {
			return f.Degraded
		}
	}
}
