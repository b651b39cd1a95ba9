package hub_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"watchhouse/alerts"
	"watchhouse/config"
	"watchhouse/dashboard"
	"watchhouse/internal/testkit"
	"watchhouse/journal"
	"watchhouse/telemetry"
)

// smallJournal makes a hub whose life.db may be 8 MiB.
func smallJournal(c *config.Config) { c.Journal.LifeMaxBytes, c.Journal.BulkMaxBytes = 8<<20, 8<<20 }

// noise cannot be packed.
func noise(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + rand.N(26))
	}
	return string(b)
}

// A press with a payload of 120 kB is a call, though one that cannot be read, and 100 of them, which would be more than the space
// there is, keep nobody from signing in, pressing and handling.
func TestHugePressesAreCallsAndTakeNobodysSpace(t *testing.T) {
	h := testkit.StartHub(t, smallJournal)
	h.AddDevices(telemetry.EmergencyButton, "btn-huge", "btn-1")
	o := h.SignIn("admin", testkit.Password)
	huge := h.Connect("btn-huge")
	for i := range 100 {
		huge.Send("event", fmt.Sprintf(`{"type":"sos","boot":1,"seq":%d,"x":%q}`, i, noise(120_000)))
	}
	wantIncident(t, o, "btn-huge", unreadable)
	h.Connect("btn-1").Send("event", `{"type":"sos","boot":1,"seq":1}`)
	wantIncident(t, o, "btn-1", func(i alerts.Incident) bool { return i.Rule == "EB-SOS" })
	var ready dashboard.Health
	o.Want(http.StatusOK, "GET", "/readyz", nil, &ready)
	if ready.Degraded["life_space"] != "" {
		t.Errorf("life.db is short of space: %s", ready.Degraded["life_space"])
	}
}

// A hub whose life.db is full of events that nobody has decided starts, says what is wrong, and works itself free.
func TestAHubWithAFullLifeStarts(t *testing.T) {
	data := t.TempDir() + "/data"
	fillLife(t, data)
	h := testkit.StartHub(t, smallJournal, func(c *config.Config) {
		c.Data = data
		c.Alerts.SnapshotInterval = time.Second // what is decided may go after the next snapshot
	})
	h.AddDevices(telemetry.EmergencyButton, "btn-1")
	o := h.SignIn("admin", testkit.Password)
	testkit.Eventually(t, 20*time.Second, func() string {
		var ready dashboard.Health
		if status, text := o.Do("GET", "/readyz", nil); status != http.StatusOK {
			return string(text)
		}
		o.Want(http.StatusOK, "GET", "/readyz", nil, &ready)
		if ready.Degraded["life_space"] != "" {
			return ready.Degraded["life_space"]
		}
		return ""
	})
	h.Connect("btn-1").Send("event", `{"type":"sos","boot":1,"seq":1}`)
	wantIncident(t, o, "btn-1", func(i alerts.Incident) bool { return i.Rule == "EB-SOS" })
}

// fillLife makes a data folder whose event lane takes no more, with many senders and no reader.
func fillLife(t *testing.T, data string) {
	t.Helper()
	cfg := config.Default()
	cfg.Data = data
	smallJournal(&cfg)
	j, err := journal.Open(t.Context(), cfg.Resolved().Journal, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := j.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	l := j.Lane(journal.EventLane)
	if _, err := l.Cursor(t.Context(), "alerts"); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		m := journal.Message{
			Kind: journal.Publish, ReceivedNS: time.Now().UnixNano(), Device: fmt.Sprint("old-", i%60), Client: "c",
			Topic: fmt.Sprintf("wh/v1/old-%d/event", i%60), Payload: []byte(noise(6000)),
		}
		if _, err := l.Append(t.Context(), m); err != nil && !errors.Is(err, journal.ErrSenderFull) {
			if !errors.Is(err, journal.ErrLaneFull) || !strings.Contains(err.Error(), "used up") {
				t.Fatal(err)
			}
			return
		}
	}
}
