package dashboard

import (
	"context"
	"io/fs"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"watchhouse/alerts"
	"watchhouse/dashboard/live"
	"watchhouse/dashboard/stream"
	"watchhouse/ingest"
	"watchhouse/journal"
	"watchhouse/registry"
)

// Deps of the server. Journal, Registry, Alerts and Log are required.
type Deps struct {
	Journal  *journal.Journal
	Registry *registry.Registry
	Alerts   Alerts
	History  History                        // nil = no time-series database: 503 history_unavailable
	Letters  DeadLetters                    // nil = none can be driven again: 503 history_unavailable
	Metrics  prometheus.Registerer          // nil = not exported
	Refusals func() map[string]live.Refusal // who is not let in although its secret is right; nil = not known
	Health   func() Health                  // what the hub says of itself; nil = ready
	Insecure bool                           // other machines reach the hub without encryption; administrators are shown so
	Page     fs.FS                          // the built page; nil = the embedded one
	Build    string                         // version shown to the page, which reloads when it changes
	Log      *slog.Logger
}

// Alerts is what the console needs of the alert engine; Engine makes one.
type Alerts interface {
	View() *alerts.View
	Do(ctx context.Context, c alerts.Command) (alerts.Result, error)
	Epoch() string
	Oldest() uint64
	Subscribe(after uint64) (stream.Subscription, error)
	Timeline(ctx context.Context, incident string) ([]alerts.Transition, error)
	Points() []alerts.FillPoint
	Rules() *alerts.Rules
}

// History reads the time series; *ingest.Ingest is one.
type History interface {
	Series(ctx context.Context, q ingest.Query) ([]ingest.Point, error)
	Metrics(ctx context.Context, device string) ([]string, error)
}

// DeadLetters drives dead letters again; *ingest.Ingest is one.
type DeadLetters interface {
	Redrive(ctx context.Context, n uint64) (ingest.Redriven, error)
	RedrivenAt(ctx context.Context, records []journal.Record) (map[uint64]int64, error)
}

// Engine adapts the alert engine.
func Engine(e *alerts.Engine) Alerts { return engine{e} }

type engine struct{ *alerts.Engine }

func (e engine) Subscribe(after uint64) (stream.Subscription, error) {
	s, err := e.Engine.Subscribe(after)
	if err != nil {
		return nil, err
	}
	return s, nil
}
