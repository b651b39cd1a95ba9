package alerts

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
)

// Deps of the engine.
type Deps struct {
	Journal  *journal.Journal
	Registry *registry.Registry
	Log      *slog.Logger
}

// ports are what the engine uses of its dependencies.
type ports struct {
	ledger    ledger
	event     lane
	state     lane
	telemetry lane
	kv        bucket
	letters   letters
	world     func() world
	changed   func() <-chan struct{}
	now       func() time.Time
	log       *slog.Logger
}

type ledger interface {
	ID() string
	Append(ctx context.Context, expect uint64, bodies ...[]byte) ([]journal.Step, error)
	Last(ctx context.Context) (uint64, error)
	Read(ctx context.Context, n uint64, limit int) ([]journal.Step, error)
}

type lane interface {
	Read(ctx context.Context, from journal.Position, limit int) ([]journal.Entry, journal.Position, error)
	Wait(ctx context.Context, from journal.Position) error
	First() journal.Position
	Head() journal.Position
	Depth(p journal.Position) uint64
	SetCursor(ctx context.Context, name string, p journal.Position) error
}

type bucket interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, value []byte) error
}

type letters interface {
	Add(atNS int64, body []byte)
}

// world is one revision of the registry.
type world interface {
	places
	Devices() []registry.Device
	Bridges() []registry.Device
	BridgeState(topic string, payload []byte) (online, ok bool)
}

// supervised are all whose silence a rule may be about.
func supervised(w world) []registry.Device { return append(slices.Clip(w.Devices()), w.Bridges()...) }

func (d Deps) ports() ports {
	j := d.Journal
	return ports{
		ledger: j.Chain("ledger"), kv: j.KV("alerts"), letters: j.Stream("deadletter"),
		event: j.Lane(journal.EventLane), state: j.Lane(journal.StateLane), telemetry: j.Lane(journal.TelemetryLane),
		world: func() world { return d.Registry.View() }, changed: d.Registry.Changed, now: time.Now, log: d.Log,
	}
}
