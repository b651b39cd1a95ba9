package hub_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"watchhouse/alerts"
	"watchhouse/config"
	"watchhouse/ingest"
	"watchhouse/ingest/influxdb"
	"watchhouse/internal/testkit"
	"watchhouse/telemetry"
)

// The load while the database is away.
const (
	outageDevices = 5
	readingEvery  = 10 * time.Millisecond
)

// outageLength is how long the database is away: a minute, or TEST_OUTAGE, for instance 5m.
func outageLength(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("TEST_OUTAGE")
	if text == "" {
		return time.Minute
	}
	length, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("TEST_OUTAGE: %v", err)
	}
	return length
}

// TestAMinuteWithoutInfluxDB stops the real database under load: presses are seen as always, and afterwards every acknowledged reading is
// in it, once.
func TestAMinuteWithoutInfluxDB(t *testing.T) {
	t.Parallel()
	away := outageLength(t)
	database := startInflux(t)
	h := testkit.StartHub(t, func(c *config.Config) { c.InfluxDB.URL = database.URL() })
	h.AddDevices(telemetry.EmergencyButton, "btn-1")
	operator := h.SignIn("admin", testkit.Password)
	load := startReadings(t, h)
	load.waitFor(t, 100)

	if err := database.Kill(); err != nil {
		t.Fatal(err)
	}
	pressAndAcknowledge(t, h, operator, time.Now().Add(away))
	operator.Want(http.StatusServiceUnavailable, "GET", "/api/v1/devices/pt-0/series?metric=temp_c", nil, nil)
	if err := database.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}

	acked := load.stop()
	for id, want := range acked {
		wantReadings(t, operator, id, want)
	}
	t.Logf("readings acknowledged and stored: %v", acked)
}

// pressAndAcknowledge presses every few seconds until the time is over; each press must be an incident within two seconds.
func pressAndAcknowledge(t *testing.T, h *testkit.Hub, o *testkit.Operator, until time.Time) {
	t.Helper()
	button := h.Connect("btn-1")
	for seq := 1; time.Now().Before(until); seq++ {
		began := time.Now()
		button.Send("event", fmt.Sprintf(`{"type":"sos","boot":1,"seq":%d}`, seq))
		testkit.Eventually(t, 2*time.Second, func() string {
			open := o.OpenIncidents()
			if len(open) == 1 && open[0].Occurrences == seq && open[0].State != alerts.StateClosed {
				return ""
			}
			return fmt.Sprintf("press %d is not on the list: %+v", seq, open)
		})
		time.Sleep(time.Until(began.Add(5 * time.Second)))
	}
}

func wantReadings(t *testing.T, o *testkit.Operator, id string, want int) {
	t.Helper()
	testkit.Eventually(t, 60*time.Second, func() string {
		var series struct{ Points []ingest.Point }
		now := time.Now()
		path := fmt.Sprintf("/api/v1/devices/%s/series?metric=temp_c&from=%d&to=%d&every=60000", id, now.Add(-time.Hour).UnixMilli(), now.Add(time.Minute).UnixMilli())
		if status, text := o.Do("GET", path, nil); status != http.StatusOK {
			return fmt.Sprintf("status %d: %s", status, text)
		}
		o.Want(http.StatusOK, "GET", path, nil, &series)
		have := 0
		for _, point := range series.Points {
			have += point.N
		}
		if have != want {
			return fmt.Sprintf("%s: %d readings in the database, want %d", id, have, want)
		}
		return ""
	})
}

func startInflux(t *testing.T) *influxdb.Server {
	t.Helper()
	bin, err := influxdb.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := influxdb.Start(t.Context(), bin, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	return server
}

// readings are sorting points that send as fast as readingEvery allows and count what was acknowledged.
type readings struct {
	mu     sync.Mutex
	acked  map[string]int
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func startReadings(t *testing.T, h *testkit.Hub) *readings {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &readings{acked: map[string]int{}, cancel: cancel}
	for n := range outageDevices {
		id := fmt.Sprintf("pt-%d", n)
		h.AddDevices(telemetry.SortingPoint, id)
		device := h.Connect(id)
		r.done.Go(func() { r.send(ctx, device) })
	}
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *readings) send(ctx context.Context, device *testkit.Device) {
	tick := time.NewTicker(readingEvery)
	defer tick.Stop()
	for seq := 1; ctx.Err() == nil; seq++ {
		device.Send("telemetry", fmt.Sprintf(`{"ts":%d,"seq":%d,"temp_c":21.5}`, time.Now().UnixMilli(), seq))
		r.mu.Lock()
		r.acked[device.ID]++
		r.mu.Unlock()
		<-tick.C
	}
}

func (r *readings) waitFor(t *testing.T, each int) {
	t.Helper()
	testkit.Eventually(t, 20*time.Second, func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		for n := range outageDevices {
			if id := fmt.Sprintf("pt-%d", n); r.acked[id] < each {
				return fmt.Sprintf("%s: %d acknowledged, want %d", id, r.acked[id], each)
			}
		}
		return ""
	})
}

func (r *readings) stop() map[string]int {
	r.cancel()
	r.done.Wait()
	return r.acked
}
