package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"testing"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
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
	if err := c.collect(t.Context(), &b, func() directory { return devices{} }); err != nil {
		t.Fatal(err)
	}
	if len(b.points) != 2 || b.next.Frame != 3 || letters.n != 1 || c.stats.s.Gaps != 1 {
		t.Errorf("%d points, next %v, %d letters, %+v", len(b.points), b.next, letters.n, c.stats.s)
	}
}

// quietLane has its first message after the reader has waited; register is what happens meanwhile.
type quietLane struct{ register func() }

func (l quietLane) Wait(ctx context.Context, from journal.Position) error {
	if from.Frame > 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	l.register()
	return nil
}

func (quietLane) Read(_ context.Context, from journal.Position, _ int) ([]journal.Entry, journal.Position, error) {
	if from.Frame > 0 {
		return nil, from, nil
	}
	e := journal.Entry{Message: message("d1", t0, `{"temp_c":1}`), ID: 1, Next: journal.Position{Frame: 1}}
	return []journal.Entry{e}, e.Next, nil
}

// TestADeviceThatSpeaksAsSoonAsItIsRegisteredIsKnown: the first readings after a quiet night belong to the device as it is now.
func TestADeviceThatSpeaksAsSoonAsItIsRegisteredIsKnown(t *testing.T) {
	s := newScripted(t)
	r := newRig(t, s.config(), nil)
	defer r.i.db.close()
	known := devices{}
	r.i.devices = func() directory { return maps.Clone(known) }
	p := newPump(r.i, r.i.sources[0])
	p.c.lane = quietLane{register: func() { known["d1"] = registry.Device{ID: "d1", Area: "c-1"} }}
	ctx, cancel := context.WithCancel(t.Context())
	batches, ended := make(chan *batch), make(chan error, 1)
	go func() { ended <- p.collect(ctx, batches) }()
	b := <-batches
	if len(b.points) != 1 || b.points[0].area != tagValue("c-1") {
		t.Errorf("points %+v", b.points)
	}
	cancel()
	<-ended
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
