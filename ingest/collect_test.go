package ingest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"watchhouse/journal"
)

// brokenLane is a lane with messages 3 to 7 missing.
type brokenLane struct{}

func (brokenLane) Wait(ctx context.Context, from journal.Position) error {
	if from.Frame < 3 {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (brokenLane) Read(_ context.Context, from journal.Position, _ int) ([]journal.Entry, journal.Position, error) {
	entry := func(id, frame uint64) []journal.Entry {
		return []journal.Entry{{
			Message: message("d1", t0, fmt.Sprintf(`{"ts":%d,"seq":%d,"temp_c":1}`, t0ms, id)),
			ID:      id, Pos: journal.Position{Frame: frame}, Next: journal.Position{Frame: frame + 1},
		}}
	}
	switch from.Frame {
	case 0:
		return entry(2, 0), journal.Position{Frame: 1}, nil
	case 1:
		return nil, from, &journal.GapError{From: 3, To: 7, Resume: journal.Position{Frame: 2}, Err: errors.New("checksum")}
	case 2:
		return entry(8, 2), journal.Position{Frame: 3}, nil
	}
	return nil, from, nil
}

func TestAGapOfTheLaneIsPassedOverAndReported(t *testing.T) {
	c := testCollector()
	letters := &noLetters{}
	c.lane, c.letters, c.linger = brokenLane{}, &letterBox{letters}, time.Millisecond
	var b batch
	if err := c.collect(t.Context(), &b, devices{}); err != nil {
		t.Fatal(err)
	}
	if len(b.points) != 2 || b.next.Frame != 3 || letters.n != 1 || c.stats.s.Gaps != 1 {
		t.Errorf("%d points, next %v, %d letters, %+v", len(b.points), b.next, letters.n, c.stats.s)
	}
}

func TestAClosedJournalEndsRunWithAnError(t *testing.T) {
	s := newScripted(t)
	r := newRig(t, s.config(), nil)
	done := make(chan error, 1)
	go func() { done <- r.i.Run(t.Context()) }()
	r.until("the first contact", func() bool { return r.i.Stats().Up })
	if err := r.journal.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Run: %v, want ErrClosed", err)
	}
}

func TestADeviceHasAtMostSoManyFields(t *testing.T) {
	f := newFieldLimit()
	for k := range maxFieldsPerDevice {
		if !f.admit("d1", strconv.Itoa(k)) {
			t.Fatalf("field %d refused", k)
		}
	}
	if f.admit("d1", "one more") || !f.admit("d1", "0") || !f.admit("d2", "one more") {
		t.Error("the limit holds for new names of one device only")
	}
}

func TestAPointThatCannotBeEncodedDoesNotHoldUpTheOthers(t *testing.T) {
	s := newScripted(t)
	r := newRig(t, s.config(), nil)
	defer r.i.db.close()
	points := benchPoints(10)
	e := &journal.Entry{ID: 4, Message: message("d1", t0, "{}")}
	for n := range points {
		points[n].from = e
	}
	points[3].device = "a\nb"
	if err := r.i.deliver(t.Context(), journal.TelemetryLane, points); err != nil {
		t.Fatal(err)
	}
	if _, lines, _ := s.seen(); len(lines) != 9 {
		t.Errorf("%d lines stored, want 9", len(lines))
	}
	if d := r.deadLetters(1)[0]; d.ID != 4 || d.Stage != StageStore {
		t.Errorf("dead letter %+v", d)
	}
}
