package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"watchhouse/journal"
)

// source is a lane that readings come from.
type source struct {
	name    journal.LaneName
	lane    *journal.Lane
	marks   marks
	notes   *journal.KV
	checked bool                  // there is no database: entries are only decoded, for the dead letters
	taken   atomic.Pointer[taken] // nil until the mark was read
}

// taken is how far a lane was confirmed.
type taken struct {
	next       journal.Position
	receivedNS int64 // of the last confirmed entry, 0 when not known
}

// marks keep how far a lane was taken, over restarts.
type marks interface {
	get(ctx context.Context) (journal.Position, error)
	set(ctx context.Context, at journal.Position, stored bool) error // stored: points before it were written
	drop(ctx context.Context) error
}

// begin reads the mark.
func (s *source) begin(ctx context.Context) (journal.Position, error) {
	pos, err := s.marks.get(ctx)
	if err != nil {
		return pos, fmt.Errorf("read mark of lane %s: %w", s.name, err)
	}
	s.taken.Store(&taken{next: pos})
	return pos, nil
}

// confirm moves the mark past a batch.
func (s *source) confirm(ctx context.Context, b *batch) error {
	if err := s.marks.set(ctx, b.next, len(b.points) > 0 && !s.checked); err != nil {
		return fmt.Errorf("set mark of lane %s: %w", s.name, err)
	}
	s.taken.Store(&taken{b.next, b.receivedNS})
	return nil
}

// lag is how many messages are not confirmed, and how long ago the last confirmed one was received while there are any.
func (s *source) lag(now time.Time) (messages uint64, behind time.Duration) {
	var t taken
	if p := s.taken.Load(); p != nil {
		t = *p
	}
	messages = s.lane.Depth(t.next)
	if messages > 0 && t.receivedNS > 0 {
		behind = max(0, now.Sub(time.Unix(0, t.receivedNS)))
	}
	return messages, behind
}

// cursorName is the reader of the telemetry lane that holds back its purge.
const cursorName = "ingest"

// cursorMarks are a cursor of the lane: what it has not passed is not purged.
type cursorMarks struct{ lane *journal.Lane }

func (m cursorMarks) get(ctx context.Context) (journal.Position, error) {
	return m.lane.Cursor(ctx, cursorName)
}

func (m cursorMarks) set(ctx context.Context, at journal.Position, _ bool) error {
	return m.lane.SetCursor(ctx, cursorName, at)
}

func (m cursorMarks) drop(ctx context.Context) error { return m.lane.DropCursor(ctx, cursorName) }

// noteMarks are a note beside the lane, which does not hold back its purge: a database that is down for months must not fill
// life.db. Most entries of the event lane are calls, of which nothing is written: then the note may be a minute old.
type noteMarks struct {
	kv    *journal.KV
	key   string
	every time.Duration
	last  time.Time
}

func (m *noteMarks) get(ctx context.Context) (journal.Position, error) {
	text, err := m.kv.Get(ctx, m.key)
	if errors.Is(err, journal.ErrNotFound) {
		return journal.Position{}, nil
	}
	if err != nil {
		return journal.Position{}, err
	}
	return journal.ParsePosition(string(text))
}

func (m *noteMarks) set(ctx context.Context, at journal.Position, stored bool) error {
	if !stored && time.Since(m.last) < m.every {
		return nil
	}
	m.last = time.Now()
	return m.kv.Put(ctx, m.key, []byte(at.String()))
}

func (m *noteMarks) drop(ctx context.Context) error { return m.kv.Delete(ctx, m.key) }
