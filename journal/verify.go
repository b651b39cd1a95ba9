package journal

import (
	"context"
	"errors"
	"fmt"

	"watchhouse/journal/engine"
)

// Fault is one thing that Verify found wrong. From and To are the messages or steps concerned, 0 when not known; Frame is
// the record, 0 when it concerns a whole log or file.
type Fault struct {
	File  string `json:"file"`
	Log   string `json:"log,omitempty"`
	Frame uint64 `json:"frame,omitempty"`
	From  uint64 `json:"from,omitempty"`
	To    uint64 `json:"to,omitempty"`
	Text  string `json:"fault"`
}

// String is one line for people.
func (f Fault) String() string {
	s := f.File
	if f.Log != "" {
		s += " " + f.Log
	}
	if f.Frame != 0 {
		s += fmt.Sprintf(" frame %d", f.Frame)
	}
	if f.From != 0 {
		s += fmt.Sprintf(" messages %d to %d", f.From, f.To)
	}
	return s + ": " + f.Text
}

// Verify walks both files, every lane, stream and chain, and names every fault. The error is about the walk itself, such as
// ctx ending. It may run beside a running hub.
func (j *Journal) Verify(ctx context.Context) ([]Fault, error) {
	var v verifier
	for _, f := range []*file{j.life, j.bulk} {
		if f.engine == nil {
			v.add(Fault{File: f.name, Text: f.err.Error()})
			continue
		}
		v.file(ctx, f)
		for _, l := range j.lanesOf(f) {
			v.lane(ctx, l)
		}
	}
	names, err := j.chainNames(ctx)
	for _, n := range names {
		v.chain(ctx, j.Chain(n))
	}
	return v.faults, errors.Join(err, ctx.Err())
}

type verifier struct{ faults []Fault }

func (v *verifier) add(f Fault) { v.faults = append(v.faults, f) }

func (v *verifier) file(ctx context.Context, f *file) {
	texts, err := f.engine.Check(ctx)
	if err != nil {
		texts = append(texts, err.Error())
	}
	for _, t := range texts {
		v.add(Fault{File: f.name, Text: t})
	}
}

// lane checks checksums, entries, that frames and numbers run on, and that no cursor lies beyond the head.
func (v *verifier) lane(ctx context.Context, l *Lane) {
	w := laneWalk{v: v, lane: l}
	err := walkLog(ctx, l.log, w.record)
	if err != nil {
		v.add(Fault{File: l.file.name, Log: string(l.name), Text: err.Error()})
	}
	w.flush(0)
	head := l.Head()
	for name, p := range l.Cursors() {
		if p.Compare(head) > 0 {
			v.add(Fault{File: l.file.name, Log: string(l.name), Frame: p.Frame, Text: "cursor " + name + " lies beyond the head"})
		}
	}
}

// walkLog reads a log in order, up to where it ended when the walk began.
func walkLog(ctx context.Context, log engine.Log, visit func(engine.Record)) error {
	first, last, err := log.Bounds(ctx)
	for next := first; err == nil && next <= last; {
		var recs []engine.Record
		if recs, err = log.Read(ctx, next, readRecords, readBytes); err != nil || len(recs) == 0 {
			break
		}
		for _, r := range recs {
			visit(r)
		}
		next = recs[len(recs)-1].Seq + 1
	}
	return translate(err)
}

// laneWalk keeps what the next frame must look like. A fault is held until the next sound frame tells which numbers it cost.
type laneWalk struct {
	v      *verifier
	lane   *Lane
	seq    uint64 // of the last record seen, 0 before the first
	expect uint64 // number of the next message, 0 when not known
	open   []Fault
}

func (w *laneWalk) record(rec engine.Record) {
	if w.seq != 0 && rec.Seq != w.seq+1 {
		w.hold(w.seq+1, fmt.Sprintf("frames %d to %d are missing", w.seq+1, rec.Seq-1))
	}
	w.seq = rec.Seq
	f, err := w.lane.open(rec)
	if err == nil {
		_, err = f.decode()
	}
	if err != nil {
		w.hold(rec.Seq, err.Error())
		return
	}
	if len(w.open) == 0 && w.expect != 0 && f.First != w.expect {
		w.hold(rec.Seq, fmt.Sprintf("begins with message %d, want %d", f.First, w.expect))
	}
	w.flush(f.First)
	w.expect = f.end()
}

func (w *laneWalk) hold(frame uint64, text string) {
	w.open = append(w.open, Fault{File: w.lane.file.name, Log: string(w.lane.name), Frame: frame, Text: text})
}

// flush reports the held faults, now that the next sound frame begins with message first (0: there is none).
func (w *laneWalk) flush(first uint64) {
	for _, f := range w.open {
		if w.expect != 0 {
			f.From, f.To = w.expect, max(first, w.expect+1)-1
		} else if first > 1 {
			f.From, f.To = 1, first-1
		}
		w.v.add(f)
	}
	w.open = nil
}

// chain checks every record's own hashes and its link to the one before.
func (v *verifier) chain(ctx context.Context, c *Chain) {
	fault := func(seq uint64, from, to uint64, err error) {
		v.add(Fault{File: c.file.name, Log: chainLogPrefix + c.name, Frame: seq, From: from, To: to, Text: err.Error()})
	}
	c.mu.Lock()
	err := c.open(ctx)
	c.mu.Unlock()
	if err != nil {
		fault(0, 0, 0, err)
		return
	}
	var before *group
	err = walkLog(ctx, c.log, func(rec engine.Record) {
		g, err := parseGroup(rec, c.env.codec)
		if err != nil {
			from, to := uint64(0), uint64(0)
			if h, herr := parseHeader(rec.Body, chainMagic()); herr == nil {
				from, to = h.First, h.end()-1
			}
			fault(rec.Seq, from, to, err)
			before = nil
			return
		}
		if before != nil {
			if end := before.steps[len(before.steps)-1]; g.prev != end.Hash || g.steps[0].N != end.N+1 || g.seq != before.seq+1 {
				fault(rec.Seq, end.N+1, g.steps[0].N, fmt.Errorf("%w: step %d does not follow step %d", errFrame, g.steps[0].N, end.N))
			}
		}
		before = g
	})
	if err != nil {
		fault(0, 0, 0, err)
	}
}
