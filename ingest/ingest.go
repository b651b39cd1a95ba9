package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
)

// cursorName is the lane's reader that holds back the purge.
const cursorName = "ingest"

// Deps of the worker.
type Deps struct {
	Journal  *journal.Journal
	Registry *registry.Registry
	Log      *slog.Logger
}

// Ingest moves the telemetry lane into InfluxDB.
type Ingest struct {
	lane    *journal.Lane
	letters *letterBox
	dead    deadLetters
	devices func() directory
	db      *database // nil when none is configured
	stats   *meter
	log     *slog.Logger
	limits  limits
}

// directory is what a point's tags are taken from: a registry.View.
type directory interface {
	Device(id string) (registry.Device, bool)
}

// limits are the times and sizes that are fixed in production and shortened by tests.
type limits struct {
	batch     int           // points
	linger    time.Duration // how long a batch waits for more
	pauseMin  time.Duration // after the first failure
	pauseMax  time.Duration
	pingEvery time.Duration // while there is nothing to write
	query     time.Duration // the longest a reader of history waits

	journalPause time.Duration // after an error of the journal
}

func defaultLimits(cfg Config) limits {
	return limits{
		batch: cfg.BatchSize, linger: 250 * time.Millisecond,
		pauseMin: 200 * time.Millisecond, pauseMax: 15 * time.Second,
		pingEvery: 10 * time.Second, query: 5 * time.Second,
		journalPause: time.Second,
	}
}

// New starts nothing.
func New(cfg Config, d Deps) (*Ingest, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	i := &Ingest{
		lane:    d.Journal.Lane(journal.TelemetryLane),
		letters: &letterBox{stream: d.Journal.Stream(DeadLetterStream)},
		dead:    deadLetters{d.Journal.Stream(DeadLetterStream), d.Journal.Lane, d.Journal.KV("redriven")},
		devices: func() directory { return d.Registry.View() },
		stats:   &meter{},
		log:     d.Log,
		limits:  defaultLimits(cfg),
	}
	if cfg.URL == "" {
		return i, nil
	}
	token, err := cfg.token()
	if err != nil {
		return nil, err
	}
	i.db = newDatabase(cfg, token)
	return i, nil
}

// Run until ctx ends; then the error is nil. A batch that is not confirmed by then is sent again by the next Run. A journal
// that cannot be read is tried again; only its being closed ends Run with an error.
func (i *Ingest) Run(ctx context.Context) error {
	if i.db == nil {
		return i.runWithout(ctx)
	}
	defer i.db.close()
	i.checkUp(ctx)
	var c *collector
	logged := ""
	for ctx.Err() == nil {
		err := i.pump(ctx, &c)
		switch {
		case errors.Is(err, journal.ErrClosed):
			return fmt.Errorf("ingest: %w", err)
		case ctx.Err() != nil:
			return nil
		case err.Error() != logged:
			logged = err.Error()
			i.log.Error("telemetry cannot be taken from the journal", "err", err)
		}
		_ = sleep(ctx, i.limits.journalPause)
	}
	return nil
}

// runWithout gives up the cursor, so that the lane is purged by age, and waits.
func (i *Ingest) runWithout(ctx context.Context) error {
	if err := i.lane.DropCursor(ctx, cursorName); err != nil && ctx.Err() == nil {
		i.log.Warn("the cursor of ingest stays in the journal", "err", err)
	}
	<-ctx.Done()
	return nil
}

func (i *Ingest) newCollector(ctx context.Context) (*collector, error) {
	pos, err := i.lane.Cursor(ctx, cursorName)
	if err != nil {
		return nil, fmt.Errorf("read cursor: %w", err)
	}
	i.stats.moved(pos)
	return &collector{
		lane: i.lane, decoder: decoder{letters: i.letters, stats: i.stats, fields: newFieldLimit()},
		batch: i.limits.batch, linger: i.limits.linger, pos: pos,
	}, nil
}

// pump moves batch after batch; it returns only with an error of the journal or of ctx. The collector is made when there is
// none yet and outlives an error.
func (i *Ingest) pump(ctx context.Context, c **collector) error {
	if *c == nil {
		var err error
		if *c, err = i.newCollector(ctx); err != nil {
			return err
		}
	}
	for {
		b, err := (*c).collect(ctx, i.devices())
		if err != nil {
			return err
		}
		if err := i.confirm(ctx, *c, &b); err != nil {
			return err
		}
		if err := i.lane.SetCursor(ctx, cursorName, b.next); err != nil {
			return fmt.Errorf("set cursor: %w", err)
		}
		i.stats.moved(b.next)
		if len(b.points) == 0 && i.stats.quietFor(i.limits.pingEvery) {
			i.checkUp(ctx)
		}
		if b.full {
			_ = sleep(ctx, b.work)
		}
	}
}

// checkUp asks the database whether it lives, so that an idle night does not leave its state unknown.
func (i *Ingest) checkUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, i.limits.query)
	defer cancel()
	if err := i.db.ping(ctx); err != nil {
		i.down("no answer: " + err.Error())
		return
	}
	i.up()
}

// up and down note the state of the database; only a change is logged.
func (i *Ingest) up() {
	if i.stats.up() {
		i.log.Info("time-series database answers")
	}
}

func (i *Ingest) down(reason string) {
	if i.stats.down(reason) {
		i.log.Warn("time-series database does not accept; telemetry waits in the journal", "reason", reason)
	}
}

// sleep waits, or returns the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
