package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
)

// Config of the time-series database; URL empty = none.
type Config struct {
	URL       string        `yaml:"url"`
	Org       string        `yaml:"org"`
	Bucket    string        `yaml:"bucket"` // for InfluxDB 1.8: "db/rp"
	Token     string        `yaml:"token"`
	TokenFile string        `yaml:"token_file"`
	BatchSize int           `yaml:"batch_size"`
	Timeout   time.Duration `yaml:"timeout"`
}

// DefaultConfig and Validate.
func DefaultConfig() Config      { panic("unwritten") }
func (c Config) Validate() error { panic("unwritten") }

// Deps of the worker.
type Deps struct {
	Journal  *journal.Journal
	Registry *registry.Registry
	Log      *slog.Logger
}

// Ingest moves the telemetry lane into InfluxDB.
type Ingest struct{}

// New starts nothing.
func New(cfg Config, d Deps) (*Ingest, error) { panic("unwritten") }

// Run until ctx ends.
func (i *Ingest) Run(ctx context.Context) error { panic("unwritten") }

// Stats for /metrics and readiness chips.
type Stats struct {
	Written, Undecodable, Retries uint64
	LagMessages                   uint64
	LastError                     string
	Up                            bool
}

// Stats now.
func (i *Ingest) Stats() Stats { panic("unwritten") }

// ErrUnavailable: no database is configured or it does not answer.
var ErrUnavailable = errors.New("ingest: history unavailable")

// Query of one metric of one device; Every 0 chooses so that at most about 1,000 windows come back.
type Query struct {
	Device, Metric string
	From, To       time.Time
	Every          time.Duration
}

// Point is one window: Mean is NaN-free; a window without data is a gap (absent).
type Point struct {
	TS   int64   `json:"ts"` // Unix ms, window start
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`
	Mean float64 `json:"mean"`
	N    int     `json:"n"`
}

// Series reads history.
func (i *Ingest) Series(ctx context.Context, q Query) ([]Point, error) { panic("unwritten") }

// Metrics lists the metrics a device has in the last 30 days.
func (i *Ingest) Metrics(ctx context.Context, device string) ([]string, error) { panic("unwritten") }
