package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
)

// Deps of the worker.
type Deps struct {
	Journal  *journal.Journal
	Registry *registry.Registry
	Log      *slog.Logger
}

// Ingest moves readings into InfluxDB.
type Ingest struct {
	sources []*source
	letters *letterBox
	dead    deadLetters
	devices func() directory
	db      *database // nil when none is configured
	stats   *meter
	writing atomic.Int32 // batches on their way to the database
	log     *slog.Logger
	limits  limits
}

// directory tells which device a topic speaks of and how its messages are read: a registry.View.
type directory interface {
	Locate(topic, sender string) (registry.Origin, error)
}

// limits are the times and sizes that are fixed in production and shortened by tests.
type limits struct {
	batch     int           // points
	linger    time.Duration // how long a batch waits for more
	pauseMin  time.Duration // after the first failure
	pauseMax  time.Duration
	pingEvery time.Duration // while there is nothing to write
	query     time.Duration // the longest a reader of history waits
	noteEvery time.Duration // of a mark that nothing was stored for

	journalPause time.Duration // after an error of the journal
}

func defaultLimits(cfg Config) limits {
	return limits{
		batch: cfg.BatchSize, linger: 250 * time.Millisecond,
		pauseMin: 200 * time.Millisecond, pauseMax: 15 * time.Second,
		pingEvery: 10 * time.Second, query: 5 * time.Second, noteEvery: time.Minute,
		journalPause: time.Second,
	}
}

// New starts nothing.
func New(cfg Config, d Deps) (*Ingest, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	i := &Ingest{
		sources: sourcesOf(d.Journal, defaultLimits(cfg).noteEvery),
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

// sourcesOf lists the lanes: telemetry, and the event lane for what devices of a profile measure beside their calls.
func sourcesOf(j *journal.Journal, noteEvery time.Duration) []*source {
	telemetry, event := j.Lane(journal.TelemetryLane), j.Lane(journal.EventLane)
	notes := j.KV("ingest")
	return []*source{
		{name: journal.TelemetryLane, lane: telemetry, notes: notes, marks: cursorMarks{telemetry}},
		{name: journal.EventLane, lane: event, notes: notes, marks: &noteMarks{kv: notes, key: string(journal.EventLane), every: noteEvery}},
	}
}

// Run until ctx ends; then the error is nil. Without a database what cannot be decoded becomes a dead letter all the same. A batch that is not confirmed by then is sent again by the next Run. A journal
// that cannot be read is tried again; only its being closed ends Run with an error.
func (i *Ingest) Run(ctx context.Context) error {
	if i.db == nil {
		i.forgetMarks(ctx)
	} else {
		defer i.db.close()
		i.checkUp(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(i.sources))
	for _, s := range i.sources {
		go func() { ended <- newPump(i, s).run(ctx) }()
	}
	var err error
	for range i.sources {
		err = errors.Join(err, <-ended)
		cancel()
	}
	return err
}

// forgetMarks lets telemetry be purged by age while no database is configured. One that is configured later gets what is still kept.
func (i *Ingest) forgetMarks(ctx context.Context) {
	for _, s := range i.sources {
		if err := s.marks.drop(ctx); err != nil && ctx.Err() == nil {
			i.log.Warn("the mark of ingest stays in the journal", "lane", string(s.name), "error", err)
		}
		s.marks = &noteMarks{kv: s.notes, key: "checked/" + string(s.name), every: i.limits.noteEvery}
		s.checked = true
	}
}

// checkUp asks the database whether it lives, so that an idle night does not leave its state unknown.
func (i *Ingest) checkUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, i.limits.query)
	defer cancel()
	if err := i.db.ping(ctx); err != nil {
		i.down("no answer: "+err.Error(), "")
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

func (i *Ingest) down(reason, hint string) {
	if i.stats.down(reason, hint) {
		i.log.Warn("time-series database does not accept; telemetry waits in the journal", "reason", reason, "hint", hint)
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
