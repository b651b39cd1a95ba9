package dashboard

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/registry"
)

// Health is what the hub says of itself, in one shape for /readyz, GET /health, the stream's heartbeat and the metrics. It holds
// no secret and no path: strangers may ask /readyz.
type Health struct {
	Ready    bool              `json:"ready" doc:"A press sent now would be kept and decided."`
	Faults   map[string]string `json:"faults,omitempty" doc:"By code, what makes the hub unready: journal_life, broker, alerts."`
	Degraded map[string]string `json:"degraded,omitempty" doc:"By code, what does not work as it should though presses do: journal_bulk, influxdb, alerts_lag, life_space, bulk_space, reserve, slow_disk, journal_gap, tls."`
	Insecure []string          `json:"insecure,omitempty" doc:"Listeners that other machines reach without encryption."`
	Lag      HealthLag         `json:"lag"`
	Senders  []HealthSender    `json:"senders,omitempty" doc:"Who holds most of the space of a part of the journal that is nearly full, most first."`
}

// HealthLag is how far the alert engine is behind.
type HealthLag struct {
	Messages uint64  `json:"messages" doc:"Not yet decided."`
	Seconds  float64 `json:"seconds" doc:"Since the oldest of them was received."`
}

// HealthSender is one sender's part of a lane's space.
type HealthSender struct {
	ID    string  `json:"id" doc:"Of a device or of a bridge's account."`
	Lane  string  `json:"lane" doc:"event, state, telemetry."`
	Share float64 `json:"share" doc:"Of the space that the lane's messages may take, 0 to 1."`
}

// Codes names what is out of order, sorted: the faults and what is degraded.
func (h Health) Codes() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for _, m := range []map[string]string{h.Faults, h.Degraded} {
			for code := range maps.Keys(m) {
				if !yield(code) {
					return
				}
			}
		}
	})
}

type healthOutput struct{ Body Health }

func (s *Server) healthRoutes(api huma.API) {
	handle(s, api, operation{
		id: "get-health", method: http.MethodGet, path: "/health", may: registry.PermView,
		summary: "What is out of order, how far decisions are behind, who takes most of the space",
	}, func(context.Context, *struct{}) (*healthOutput, error) {
		return &healthOutput{Body: s.health()}, nil
	})
}
