package hub

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"watchhouse/dashboard"
	"watchhouse/journal"
)

const (
	// lagLimit is how far decisions may be behind before it is said. A lane's watermark alone may be a second old.
	lagLimit = 2 * time.Second
	// pressLimit is within what a press is on a screen.
	pressLimit = time.Second
	// slowCommit makes a disk slow: a press waits for two commits, and for the one under way before each; four of these are the
	// second within which it must be on a screen.
	slowCommit = 250 * time.Millisecond
	// nearlyFull is the part of a file's cap from which on it is said.
	nearlyFull = 0.85
)

// healthz says that the process lives and answers.
func (h *Hub) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether a press sent now would be kept and shown: 503 if not, 200 with `degraded` if it may take longer or
// something else is out of order.
func (h *Hub) readyz(w http.ResponseWriter, _ *http.Request) {
	state := h.health()
	status := http.StatusOK
	if !state.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, state)
}

// health asks every part. It is the one source of /readyz, GET /api/v1/health, the heartbeat's codes and the metrics.
func (h *Hub) health() dashboard.Health {
	state := dashboard.Health{Faults: map[string]string{}, Degraded: map[string]string{}}
	for _, describe := range []func(*dashboard.Health){
		h.describeJournal, h.describeBroker, h.describeAlerts, h.describeIngest, h.describeTLS,
	} {
		describe(&state)
	}
	state.Ready = len(state.Faults) == 0
	return state
}

// describeJournal: strangers may read this, so paths stay in the log.
func (h *Hub) describeJournal(state *dashboard.Health) {
	describeFiles(state, h.journal.Health())
}

func describeFiles(state *dashboard.Health, health journal.Health) {
	describeSpace(state, health)
	describeReserve(state, health)
	if health.Life.Err != nil {
		state.Faults["journal_life"] = "life.db cannot be written: " + plainFault(health.Life.Err)
	}
	if health.Bulk.Err != nil {
		state.Degraded["journal_bulk"] = "bulk.db cannot be written, telemetry is refused: " + plainFault(health.Bulk.Err)
	}
	if slow := health.Life.FsyncP99; slow > slowCommit {
		state.Degraded["slow_disk"] = fmt.Sprintf("commits of life.db take up to %s", slow.Round(time.Millisecond))
	}
}

// describeSpace names the parts of the journal that are nearly full, and who fills them.
func describeSpace(state *dashboard.Health, health journal.Health) {
	nearly := map[bool][]string{}
	for _, l := range health.Full {
		nearly[l.Life] = append(nearly[l.Life], fmt.Sprintf("%s uses %.0f %% of its part", l.Lane, 100*l.Ratio))
		for _, s := range l.Senders {
			state.Senders = append(state.Senders, dashboard.HealthSender{ID: s.ID, Lane: string(l.Lane), Share: s.Share})
		}
		if l.Lane == journal.EventLane && l.Ratio >= 1 {
			state.Faults["journal_life"] = "the part of life.db for events is used up, presses are refused"
		}
	}
	for life, file := range map[bool]journal.FileHealth{true: health.Life, false: health.Bulk} {
		if file.UsedRatio >= nearlyFull {
			nearly[life] = append(nearly[life], fmt.Sprintf("%.0f %% of the file's space is used", 100*file.UsedRatio))
		}
	}
	if len(nearly[true]) > 0 {
		state.Degraded["life_space"] = "life.db: " + strings.Join(nearly[true], ", ")
	}
	if len(nearly[false]) > 0 {
		state.Degraded["bulk_space"] = "bulk.db: " + strings.Join(nearly[false], ", ")
	}
}

// describeReserve: without it a full disk stops emergencies, too.
func describeReserve(state *dashboard.Health, health journal.Health) {
	if r := health.Reserve; r.Held < r.Wanted {
		state.Degraded["reserve"] = fmt.Sprintf("of %d MiB kept for life.db on a full disk %d are there", r.Wanted>>20, r.Held>>20)
	}
	if health.Reserve.BulkStopped {
		state.Degraded["journal_bulk"] = "the disk is nearly full: telemetry is refused so that calls have the rest"
	}
}

// plainFault says the kind of a fault without what only the log may hold.
func plainFault(err error) string {
	switch {
	case errors.Is(err, journal.ErrDamaged):
		return "damaged, the log says where"
	case strings.Contains(err.Error(), "no space left"):
		return "the disk is full"
	}
	return "the log says why"
}

func (h *Hub) describeBroker(state *dashboard.Health) {
	if !h.serving.Load() {
		state.Faults["broker"] = "not listening"
	}
}

func (h *Hub) describeAlerts(state *dashboard.Health) {
	if backlog := h.alerts.Backlog(); backlog.FirstPress > pressLimit {
		state.Faults["alerts"] = fmt.Sprintf("a press sent now is not on a screen within %s: %d messages are not decided, one has waited for %s",
			pressLimit, backlog.Messages, backlog.FirstPress.Round(100*time.Millisecond))
	}
	messages, behind := h.alerts.Lag()
	state.Lag = dashboard.HealthLag{Messages: messages, Seconds: behind.Seconds()}
	if behind > lagLimit {
		state.Degraded["alerts_lag"] = fmt.Sprintf("%d messages are not decided yet, the oldest of %s ago", messages, behind.Round(time.Second))
	}
}

func (h *Hub) describeIngest(state *dashboard.Health) {
	if stats := h.ingest.Stats(); h.cfg.InfluxDB.URL != "" && !stats.Up {
		state.Degraded["influxdb"] = cmp.Or(stats.Hint, "no answer") + "; history waits in the journal"
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client went away: nothing to tell it
}
