package alerts

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// readLimit is how many entries one read of a lane brings.
const readLimit = 512

// laneBatch is what a reader hands to the engine: the entries it must decide on and how far the lane has been read.
type laneBatch struct {
	items []laneItem
	next  journal.Position
	ns    int64 // receive time of the last entry read
	gap   *journal.GapError
}

// laneItem is an entry and the receive time of the one before it in the lane.
type laneItem struct {
	journal.Entry
	previousNS int64
	gap        *journal.GapError // a hole in place of an entry; Next is where reading went on
}

// mark is a place in a lane that only moves on.
type mark struct {
	pos journal.Position
	ns  int64
}

func (m *mark) advance(pos journal.Position, ns int64) {
	if pos.Compare(m.pos) > 0 {
		m.pos = pos
	}
	m.ns = max(m.ns, ns)
}

func (m mark) cursor() cursor { return cursor{Pos: m.pos.String(), NS: m.ns} }

// progress is how far a lane has been taken into account.
type progress struct {
	mu   sync.Mutex
	pos  journal.Position
	ns   int64
	anew bool // the lane has begun again since the last follow
}

// restart goes back to the beginning: the lane's file was lost.
func (p *progress) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pos, p.anew = journal.Position{}, true
}

// follow moves a mark on with the progress, and back only when the lane has begun anew.
func (m *mark) follow(p *progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.anew {
		m.pos, p.anew = journal.Position{}, false
	}
	m.advance(p.pos, p.ns)
}

func (p *progress) set(pos journal.Position, ns int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pos, p.ns = pos, max(p.ns, ns)
}

func (p *progress) get() (journal.Position, int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pos, p.ns
}

func (p *progress) cursor() cursor {
	pos, ns := p.get()
	return cursor{Pos: pos.String(), NS: ns}
}

// reader follows one lane. It has its own goroutine, so that no lane waits for another.
type reader struct {
	name journal.LaneName
	lane lane
	pos  journal.Position
	ns   int64
	log  *slog.Logger
	take func(ctx context.Context, b laneBatch) bool // false ends the reader
	want func(e *journal.Entry) bool                 // entries to hand over
	lost func()                                      // the lane begins anew; nil = it does not matter
	fail bool                                        // the last read failed; logged once
}

func (r *reader) run(ctx context.Context) {
	for ctx.Err() == nil {
		entries, next, err := r.lane.Read(ctx, r.pos, readLimit)
		if err != nil {
			if !r.mend(ctx, err) {
				return
			}
			continue
		}
		r.fail = false
		if len(entries) == 0 {
			r.pos = next
			if err := r.lane.Wait(ctx, r.pos); err != nil && !r.pause(ctx, err) {
				return
			}
			continue
		}
		b := laneBatch{next: next}
		for i := range entries {
			if r.want(&entries[i]) {
				b.items = append(b.items, laneItem{Entry: entries[i], previousNS: r.ns})
			}
			r.ns = max(r.ns, entries[i].ReceivedNS)
		}
		b.ns, r.pos = r.ns, next
		if !r.take(ctx, b) {
			return
		}
	}
}

// mend reacts to a failed read: a hole is reported and stepped over, a position that is gone begins again with what is kept,
// anything else is tried again.
func (r *reader) mend(ctx context.Context, err error) bool {
	var gap *journal.GapError
	switch {
	case errors.As(err, &gap):
		r.pos = gap.Resume
		return r.take(ctx, laneBatch{next: r.pos, ns: r.ns, gap: gap})
	case errors.Is(err, journal.ErrNotFound):
		r.log.Error("lane position is gone, reading what is kept", "lane", string(r.name), "position", r.pos.String())
		r.pos = r.lane.First()
		if r.lost != nil {
			r.lost()
		}
	}
	return r.pause(ctx, err)
}

// pause waits a little after an error, which it logs once until reading works again.
func (r *reader) pause(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, journal.ErrClosed) {
		return false
	}
	if !r.fail {
		r.log.Error("lane cannot be read, trying again", "lane", string(r.name), "err", err)
		r.fail = true
	}
	t := time.NewTimer(200 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// mark counts an entry as a sign of life. A will says the contrary, a bridge's retained copy says nothing.
func (l *lastSeen) mark(e *journal.Entry) {
	if e.Kind != journal.Publish {
		l.markBridge(e)
		return
	}
	t, err := telemetry.ParseTopic(e.Topic)
	if err != nil || t.Device != e.Device && t.Gateway != e.Device {
		l.markBridge(e)
	}
	if err != nil { // rarely: most devices speak wh/v1, and for them nothing is looked up
		if o, err := l.world().Locate(e.Topic, e.Device); err == nil {
			for part := range o.All(e.Payload) {
				if part.Life {
					l.markTopic(e, part.Topic)
				}
			}
		}
		return
	}
	l.markTopic(e, t)
}

func (l *lastSeen) markTopic(e *journal.Entry, t telemetry.Topic) {
	if !live(*e, t) {
		return
	}
	l.touch(t.Device, e.ReceivedNS)
	if t.Gateway != "" {
		l.touch(t.Gateway, e.ReceivedNS)
	}
}

// sendTo hands batches to the engine.
func sendTo(ch chan<- laneBatch) func(context.Context, laneBatch) bool {
	return func(ctx context.Context, b laneBatch) bool {
		select {
		case ch <- b:
			return true
		case <-ctx.Done():
			return false
		}
	}
}
