package alerts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"watchhouse/journal"
)

// Errors of the engine's life. They wrap the journal's, so that a caller need not tell them apart.
var (
	ErrStopped   = fmt.Errorf("alerts: the engine has stopped: %w", journal.ErrClosed)
	ErrNotLeader = fmt.Errorf("alerts: the ledger has another writer: %w", journal.ErrConflict)
)

// Engine is the ledger's one writer. Its methods are safe for concurrent use; everything not marked shared belongs to the
// goroutine of Run.
type Engine struct {
	cfg   Config
	ports ports
	*decider

	book           *book
	hash           string                                        // of the chain at book.step
	at             struct{ event, state, telemetry, watch mark } // what has been decided; goes into every step. event: at the start
	absence        *absence
	watch          *watch // beside the engine; its readers feed it
	clocks         clockQueue
	changed        <-chan struct{} // of the registry
	left           bool            // devices may have left the registry
	saved          time.Time
	savedStep      uint64
	shownForgotten uint64
	saving         chan struct{} // nil when no snapshot is being written

	queued   []laneBatch
	held     *request // taken out of the mailbox while idle
	mailbox  chan *request
	states   chan laneBatch
	gaps     chan laneBatch
	finished chan struct{} // closed when Run has ended

	// Shared.
	inbox    *inbox
	seen     *lastSeen
	progress struct{ event, state, telemetry, watch progress }
	counters counters
	ring     *ring
	view     atomic.Pointer[View]
	outbox   outboxState
	trailsMu sync.RWMutex
	trails   map[string][]uint64
	started  atomic.Bool
}

// New loads rules, the last snapshot and the steps after it; it does not start anything. Where there is no snapshot of the windows
// it writes the first.
func New(ctx context.Context, cfg Config, d Deps) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	rules, err := LoadRules(cfg.RulesFile, cfg.ExtraRules...)
	if err != nil {
		return nil, err
	}
	return newEngine(ctx, cfg, rules, d.ports())
}

func newEngine(ctx context.Context, cfg Config, rules *Rules, p ports) (*Engine, error) {
	e := &Engine{
		cfg: cfg, ports: p, decider: &decider{rules: rules, epoch: p.ledger.ID(), writer: newWriter(p.now())},
		mailbox: make(chan *request, 256), inbox: newInbox(inboxBytes), states: make(chan laneBatch, 4),
		gaps: make(chan laneBatch, 4), finished: make(chan struct{}), seen: newLastSeen(p.world), trails: map[string][]uint64{},
	}
	e.absence = newAbsence(rules, e.seen, cfg.BlindAfterStart)
	e.watch = newWatch(rules, p, func() int64 { _, ns := e.progress.state.get(); return ns })
	if err := e.load(ctx); err != nil {
		return nil, err
	}
	e.ring = newRing(e.book.seq)
	e.view.Store(viewOf(e.book))
	maps.Copy(e.trails, e.book.trail)
	e.outbox.publish(e.book)
	e.clocks.rebuild(e.book)
	return e, nil
}

// Run reads the lanes and the mailbox until ctx ends; then it writes a snapshot and returns. It runs once. An error means
// that the engine cannot go on: the ledger has another writer, or what it holds cannot be read.
func (e *Engine) Run(ctx context.Context) error {
	if e.started.Swap(true) {
		return errors.New("alerts: Run runs once")
	}
	defer e.ring.close()
	defer close(e.finished)
	defer e.waitSaving()
	inner, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	for _, r := range e.readers() {
		readers.Go(func() { r.run(inner) })
	}
	torn, err := e.loop(inner)
	cancel()
	readers.Wait()
	if err != nil || torn {
		return err // the live state is ahead of the ledger: no snapshot of it may be left
	}
	e.waitSaving()
	return e.saveLast(ctx)
}

// soon is when the first snapshot of a life is written that begins with a backlog.
const soon = 5 * time.Second

// loop works until ctx ends; torn tells that a group was decided and perhaps not committed.
func (e *Engine) loop(ctx context.Context) (torn bool, err error) {
	e.saved = e.ports.now()
	if e.inbox.behind(e.ports.event) { // once that is decided the lane may forget it
		e.saved = e.saved.Add(min(soon-e.cfg.SnapshotInterval, 0))
	}
	e.watchRegistry()
	e.watchConditions()
	t := time.NewTimer(0)
	defer t.Stop()
	for ctx.Err() == nil {
		more, err := e.round(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return true, nil // stopped while the disk refused: the inputs are read again
		case err != nil:
			return true, err
		}
		e.snapshotWhenDue(ctx)
		if !more {
			t.Reset(e.untilNext())
			e.idle(ctx, t.C)
		}
	}
	return false, nil
}

// cursors are the places up to which everything has been decided. Those of what the watch reads do not go back while it
// reads again what was before.
func (e *Engine) cursors() cursors {
	e.at.telemetry.follow(&e.progress.telemetry)
	e.at.watch.follow(&e.progress.watch)
	return cursors{Event: e.inbox.mark().cursor(), State: e.at.state.cursor(), Telemetry: e.at.telemetry.cursor(), Watch: e.at.watch.cursor()}
}

// idle waits for anything to do.
func (e *Engine) idle(ctx context.Context, tick <-chan time.Time) {
	select {
	case <-ctx.Done():
	case <-tick:
	case <-e.changed:
		e.watchRegistry()
	case <-e.watch.found.wake:
	case q := <-e.mailbox:
		e.held = q
	case <-e.inbox.wake:
	case b := <-e.states:
		e.queued = append(e.queued, b)
	case b := <-e.gaps:
		e.queued = append(e.queued, b)
	case <-e.saving:
		e.saving = nil
	}
}

// untilNext is when a clock or the watch for silence may need the engine: a second at most, which is their resolution.
func (e *Engine) untilNext() time.Duration {
	next, ok := e.clocks.next(e.book)
	if !ok {
		return wakeEvery
	}
	wait := time.Duration(next-e.ports.now().UnixMilli()) * time.Millisecond
	return min(max(wait, time.Millisecond), wakeEvery)
}

// watchRegistry takes a new revision into account.
func (e *Engine) watchRegistry() {
	e.changed, e.left = e.ports.changed(), true
	e.absence.again(supervised(e.ports.world()))
}

// watchConditions plans a look at every active silence, so that one of a device that has left the registry ends too.
func (e *Engine) watchConditions() {
	for _, c := range e.book.conditions {
		if r := e.rules.byID[c.Rule]; r != nil && r.Kind == ruleAbsence && c.Active {
			e.absence.plan(look{c.Rule, c.Device}, 0)
		}
	}
}

// View is the current state, as of the last committed step.
func (e *Engine) View() *View { return e.view.Load() }

// Epoch is the ledger's id.
func (e *Engine) Epoch() string { return e.epoch }

// Rules are those the engine decides by.
func (e *Engine) Rules() *Rules { return e.rules }

// Stats counts since the start.
func (e *Engine) Stats() Stats { return e.counters.stats() }

// LastSeen is when a device was last heard, Unix ms, 0 when it never was.
func (e *Engine) LastSeen(device string) int64 {
	h, ok := e.seen.get(device)
	if !ok || h.Beats == 0 {
		return 0
	}
	return h.Last / int64(time.Millisecond)
}

// wakeEvery is the engine's own beat when nothing else happens: the resolution of its clocks.
const wakeEvery = time.Second
