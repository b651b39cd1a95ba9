package stream

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"watchhouse/alerts"
)

// Source gives committed transitions; the alert engine is one.
type Source interface {
	View() *alerts.View
	Epoch() string
	// Oldest is the smallest number Subscribe can start after.
	Oldest() uint64
	// Subscribe gives the transitions after a number: those kept, then live ones; alerts.ErrTooOld if they are gone.
	Subscribe(after uint64) (Subscription, error)
}

// Subscription of one reader; a reader too slow finds C closed and Resync true.
type Subscription interface {
	C() <-chan []alerts.Transition
	Resync() bool
	Close()
}

// Update is a device's newest state, marshalled once.
type Update struct {
	ID   string
	JSON json.RawMessage
}

// SeenRecord says that a console painted an incident for a user for the first time.
type SeenRecord struct {
	Incident, Actor string
	Seq             uint64
	At              int64 // Unix ms
}

// Deps of a Hub. Source and Log are required.
type Deps struct {
	Source   Source
	Devices  func() []Update                           // all states, for a console that resumes without a snapshot
	Seen     func(context.Context, []SeenRecord) error // keeps who saw what first; an error means: again later
	Degraded func() []string                           // codes of what is out of order in the hub, sorted; nil = never anything
	Metrics  prometheus.Registerer
	Log      *slog.Logger
	Build    string
}

// Config of a Hub.
type Config struct {
	MaxClients int // a fifth of them is kept for those who handle calls
	MaxPerUser int // 0 = as MaxClients
	Heartbeat  time.Duration
}

// Identity is who is behind a connection.
type Identity struct {
	Name, Role string
	Handles    bool // acknowledges and closes calls
	// Valid reports whether the session still stands with the same role.
	Valid func() bool
}
