package hub

import (
	"encoding/json"
	"net/http"
)

// readiness is the body of /readyz: what is out of order is named. Degraded parts do not make the hub unready.
type readiness struct {
	Ready    bool              `json:"ready"`
	Faults   map[string]string `json:"faults,omitempty"`
	Degraded map[string]string `json:"degraded,omitempty"`
	Insecure []string          `json:"insecure,omitempty"` // listeners that other machines reach without encryption
}

// healthz says that the process lives and answers.
func (h *Hub) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether a press would be kept and shown: life is writable and the broker listens.
func (h *Hub) readyz(w http.ResponseWriter, _ *http.Request) {
	state := h.readiness()
	status := http.StatusOK
	if !state.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, state)
}

func (h *Hub) readiness() readiness {
	state := readiness{Faults: map[string]string{}, Degraded: map[string]string{}}
	health := h.journal.Health()
	if health.Life.Err != nil {
		state.Faults["journal_life"] = health.Life.Err.Error()
	}
	if !h.serving.Load() {
		state.Faults["broker"] = "not listening"
	}
	if health.Bulk.Err != nil {
		state.Degraded["journal_bulk"] = health.Bulk.Err.Error()
	}
	if stats := h.ingest.Stats(); h.cfg.InfluxDB.URL != "" && !stats.Up {
		state.Degraded["influxdb"] = "no answer: history waits in the journal"
	}
	h.describeTLS(&state)
	state.Ready = len(state.Faults) == 0
	return state
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client went away: nothing to tell it
}
