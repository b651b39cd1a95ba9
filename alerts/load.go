package alerts

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"watchhouse/journal"
)

// Keys of the bucket and the name of the lanes' cursor.
const (
	bookKey    = "book"
	windowKey  = "window"
	cursorName = "alerts"
)

// seenWindow is the cache of absence rules with the cursors it was taken at.
type seenWindow struct {
	V       int              `json:"v"`
	Epoch   string           `json:"epoch"`
	Cursors cursors          `json:"cursors"`
	Seen    map[string]heard `json:"seen"`
	Down    downtimes        `json:"down"`
	Blind   int64            `json:"blind_until"`
}

// load makes the live state: the last snapshot, the steps after it, the window, and where to go on reading.
func (e *Engine) load(ctx context.Context) error {
	b, err := e.loadBook(ctx)
	if err != nil {
		return err
	}
	e.book = b
	if err := e.foldRest(ctx); err != nil {
		return err
	}
	if err := e.setCursors(ctx, cursors{}); err != nil { // a first start: nothing may be purged that was never read
		return err
	}
	return e.loadWindow(ctx)
}

// loadBook reads the snapshot. One that is damaged, of another schema or of another ledger is not used: the ledger is the
// truth and is folded from its beginning.
func (e *Engine) loadBook(ctx context.Context) (*book, error) {
	data, err := e.ports.kv.Get(ctx, bookKey)
	if errors.Is(err, journal.ErrNotFound) {
		return newBook(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	b, err := e.thawChecked(ctx, data)
	if err != nil {
		e.ports.log.Warn("snapshot not used, folding the whole ledger", "err", err)
		return newBook(), nil
	}
	return b, nil
}

func (e *Engine) thawChecked(ctx context.Context, data []byte) (*book, error) {
	s, err := decodeSnapshot(data)
	if err != nil {
		return nil, err
	}
	if s.Epoch != e.epoch {
		return nil, errors.New("snapshot of another ledger")
	}
	if s.Step > 0 {
		at, err := e.ports.ledger.Read(ctx, s.Step, 1)
		if err != nil || len(at) != 1 || hex.EncodeToString(at[0].Hash[:]) != s.Hash {
			return nil, fmt.Errorf("snapshot does not fit step %d", s.Step)
		}
	}
	e.hash = s.Hash
	return s.thaw()
}

// foldRest applies the steps after the snapshot.
func (e *Engine) foldRest(ctx context.Context) error {
	for {
		list, err := e.ports.ledger.Read(ctx, e.book.step+1, ledgerPage)
		if err != nil {
			return fmt.Errorf("read ledger from step %d: %w", e.book.step+1, err)
		}
		if len(list) == 0 {
			return nil
		}
		for _, raw := range list {
			s, err := decodeStep(raw.Body)
			if err != nil {
				return fmt.Errorf("ledger step %d: %w", raw.N, err)
			}
			if err := e.book.apply(raw.N, s); err != nil {
				return err
			}
			e.hash = hex.EncodeToString(raw.Hash[:])
		}
	}
}

// loadWindow restores the caches and finds where each lane is to be read from: where they were taken, so that they are
// rebuilt, with nothing decided twice before the ledger's own cursors. Without a cache reading goes on at the ledger's.
func (e *Engine) loadWindow(ctx context.Context) error {
	from := e.book.cursors
	w, err := e.readWindow(ctx)
	if err != nil {
		return err
	}
	if w != nil {
		e.seen.restore(w.Seen)
		e.absence.down, e.absence.blindUntil = w.Down, w.Blind
		from = w.Cursors
	}
	from.Watch = e.book.cursors.Watch
	saved, err := e.watch.load(ctx, e.ports.kv, e.epoch)
	if err != nil {
		return err
	}
	if saved != nil {
		from.Watch, from.Telemetry = saved.Event, earlier(from.Telemetry, saved.Telemetry)
	} else if err := e.beginWindows(ctx, from); err != nil {
		return err
	}
	if err := e.readFrom(from); err != nil {
		return err
	}
	return e.resumeAt(from)
}

// beginWindows writes down from where the windows are read when there is no snapshot of them. Without it a crash before the first
// one would lose heat that waited for its delay: the next engine would read from the ledger's place, which lies behind it.
func (e *Engine) beginWindows(ctx context.Context, from cursors) error {
	if err := e.watch.startAt(from.Telemetry, from.Watch); err != nil {
		return err
	}
	if _, err := e.watch.store(ctx, e.ports.kv, e.epoch); err != nil {
		e.ports.log.Error("first snapshot of the windows not written", "err", err)
	}
	return nil
}

// earlier of two places in a lane.
func earlier(a, b cursor) cursor {
	p, errA := a.position()
	q, errB := b.position()
	if errA == nil && errB == nil && p.Compare(q) < 0 {
		return a
	}
	return b
}

func (e *Engine) readFrom(from cursors) error {
	for _, x := range []struct {
		c cursor
		p *progress
	}{
		{from.Event, &e.progress.event}, {from.State, &e.progress.state}, {from.Telemetry, &e.progress.telemetry}, {from.Watch, &e.progress.watch},
	} {
		pos, err := x.c.position()
		if err != nil {
			return err
		}
		x.p.set(pos, x.c.NS)
	}
	return nil
}

// resumeAt sets what has been decided: the later of the ledger's cursor and the place the window was taken at, for what
// lies between the two has been looked at without a step. The windows are told the ledger's places alone.
func (e *Engine) resumeAt(from cursors) error {
	own := e.book.cursors
	for _, x := range []struct {
		a, b cursor
		m    *mark
	}{
		{from.Event, own.Event, &e.at.event},
		{from.State, own.State, &e.at.state},
		{own.Telemetry, own.Telemetry, &e.at.telemetry},
		{own.Watch, own.Watch, &e.at.watch},
	} {
		for _, c := range []cursor{x.a, x.b} {
			pos, err := c.position()
			if err != nil {
				return err
			}
			x.m.advance(pos, c.NS)
		}
	}
	// A place beyond the end is one of a file that was lost; nothing in the new one has been decided on.
	if head := e.ports.telemetry.Head(); head != (journal.Position{}) && e.at.telemetry.pos.Compare(head) > 0 {
		e.at.telemetry.pos = journal.Position{}
	}
	pos, ns := e.progress.event.get()
	e.inbox.begin(place{pos: pos, ns: ns}, place{e.at.event.pos, e.at.event.ns, own.Event.N})
	e.watch.begin(e.at.telemetry.pos, e.at.watch.pos, e.book.conditions, e.rules.byID)
	e.watch.blind.Store(e.absence.blindUntil)
	return nil
}

func (e *Engine) readWindow(ctx context.Context) (*seenWindow, error) {
	data, err := e.ports.kv.Get(ctx, windowKey)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read window: %w", err)
	}
	var w seenWindow
	if err := json.Unmarshal(data, &w); err != nil || w.V != snapshotVersion || w.Epoch != e.epoch {
		e.ports.log.Warn("window not used, silence is counted from now", "err", err)
		return nil, nil
	}
	return &w, nil
}

// stepsPerSnapshot bounds what a start has to fold, and with it how long it takes until the hub listens.
const stepsPerSnapshot = 10_000

// snapshotWhenDue starts a snapshot in the background. Only copying the maps holds the engine up.
func (e *Engine) snapshotWhenDue(ctx context.Context) {
	select {
	case <-e.saving:
		e.saving = nil
	default:
	}
	many := e.book.step-e.savedStep >= stepsPerSnapshot
	if e.saving != nil || !many && e.ports.now().Sub(e.saved) < e.cfg.SnapshotInterval {
		return
	}
	e.saved, e.savedStep = e.ports.now(), e.book.step
	save := e.snapshot()
	done := make(chan struct{})
	e.saving = done
	go func() {
		defer close(done)
		if err := save(ctx); err != nil && ctx.Err() == nil {
			e.ports.log.Error("snapshot not written", "err", err)
		}
	}()
}

func (e *Engine) waitSaving() {
	if e.saving != nil {
		<-e.saving
		e.saving = nil
	}
}

// saveLast writes the snapshot of a clean end.
func (e *Engine) saveLast(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return e.snapshot()(ctx)
}

// snapshot copies the state and gives the function that writes it. The window's cursors are taken before its contents: what
// is read meanwhile is counted again after a restart, which does no harm.
func (e *Engine) snapshot() func(context.Context) error {
	book := e.book.freeze(e.epoch, e.hash)
	w := seenWindow{
		V: snapshotVersion, Epoch: e.epoch,
		Cursors: cursors{Event: e.progress.event.cursor(), State: e.progress.state.cursor(), Telemetry: e.progress.telemetry.cursor()},
		Down:    append(downtimes(nil), e.absence.down...),
		Blind:   e.absence.blindUntil,
	}
	world := e.ports.world()
	return func(ctx context.Context) error {
		w.Seen = e.seen.prune(func(id string) bool { _, ok := party(world, id); return ok })
		data, err := book.encode()
		if err != nil {
			return err
		}
		if err := e.ports.kv.Put(ctx, bookKey, data); err != nil {
			return fmt.Errorf("write snapshot: %w", err)
		}
		if data, err = json.Marshal(w); err != nil {
			return fmt.Errorf("encode window: %w", err)
		}
		if err := e.ports.kv.Put(ctx, windowKey, data); err != nil {
			return fmt.Errorf("write window: %w", err)
		}
		windows, err := e.watch.store(ctx, e.ports.kv, e.epoch)
		if err != nil {
			return err
		}
		kept := w.Cursors
		kept.Event, kept.Telemetry = earlier(kept.Event, windows.Event), earlier(kept.Telemetry, windows.Telemetry)
		return e.setCursors(ctx, kept)
	}
}

// setCursors lets the lanes forget what no restart needs any more.
func (e *Engine) setCursors(ctx context.Context, c cursors) error {
	for _, x := range []struct {
		l lane
		c cursor
	}{{e.ports.event, c.Event}, {e.ports.state, c.State}, {e.ports.telemetry, c.Telemetry}} {
		pos, err := x.c.position()
		if err != nil {
			return err
		}
		err = x.l.SetCursor(ctx, cursorName, pos)
		if x.l == e.ports.telemetry && errors.Is(err, journal.ErrUnavailable) {
			continue // bulk.db is out of order, which is told elsewhere: a lane that nobody can read holds nothing back
		}
		if err != nil {
			return fmt.Errorf("set cursor: %w", err)
		}
	}
	return nil
}
