package journal

import (
	"context"
	"errors"
	"fmt"

	"watchhouse/journal/engine"
)

const (
	// readRecords and readBytes bound one query while catching up.
	readRecords = 256
	readBytes   = 1 << 20
	// lookBack is how many frames before a gap are tried for the number it begins with.
	lookBack = 64
)

// Read returns up to limit stored entries from a position on, in order, and where to go on; none at the head.
// A break is a *GapError after the entries before it.
func (l *Lane) Read(ctx context.Context, from Position, limit int) (entries []Entry, next Position, err error) {
	if l.log == nil {
		return nil, from, l.file.unavailable()
	}
	if l.env.readOnly {
		if err := l.refresh(ctx); err != nil {
			return nil, from, err
		}
	}
	r := laneReader{lane: l, next: from}
	l.mu.Lock()
	r.head, r.nextID = l.head, l.nextID
	l.mu.Unlock()
	if from.Compare(r.head) > 0 {
		return nil, from, fmt.Errorf("%w: position %s lies beyond the head of lane %s", ErrNotFound, from, l.name)
	}
	if err := r.read(ctx, limit); err != nil && len(r.out) == 0 {
		return nil, from, err
	}
	// A fault after some entries is found again by the next call, which starts there.
	return r.out, r.next, nil
}

// laneReader is one call of Read.
type laneReader struct {
	lane    *Lane
	head    Position
	nextID  uint64
	out     []Entry
	next    Position // after the last entry put out
	expect  uint64   // number of the next entry, 0 when not known
	fetched []engine.Record
}

func (r *laneReader) read(ctx context.Context, limit int) error {
	seq, index := r.next.Frame, r.next.Index
	if seq == 0 {
		first, err := r.lane.firstFrame(ctx)
		if err != nil || first == 0 {
			return err
		}
		seq, index = first, 0
	}
	for len(r.out) < limit && seq <= r.head.Frame {
		f, err := r.frame(ctx, seq)
		if err != nil {
			return err
		}
		entries, err := f.decode()
		if err != nil {
			return r.gap(ctx, seq, seq+1, err)
		}
		if r.expect != 0 && f.First != r.expect {
			return r.gap(ctx, seq, seq, fmt.Errorf("%w: frame %d begins with %d, want %d", errFrame, seq, f.First, r.expect))
		}
		if int(index) > len(entries) {
			return fmt.Errorf("%w: position %d.%d", ErrNotFound, seq, index)
		}
		n := min(limit-len(r.out), len(entries)-int(index))
		r.out = append(r.out, entries[index:int(index)+n]...)
		r.next = Position{Frame: seq, Index: index + uint32(n)}
		if r.next.Index < f.Count {
			r.lane.cache.put(f) // it will be asked for again
			return nil
		}
		r.expect = f.end()
		seq, index = seq+1, 0
	}
	return nil
}

// frame gives the frame of that number, or a *GapError.
func (r *laneReader) frame(ctx context.Context, seq uint64) (*laneFrame, error) {
	if f := r.lane.cache.get(seq); f != nil {
		return f, nil
	}
	for len(r.fetched) > 0 && r.fetched[0].Seq < seq {
		r.fetched = r.fetched[1:]
	}
	if len(r.fetched) == 0 {
		recs, err := r.lane.log.Read(ctx, seq, readRecords, readBytes)
		if err != nil {
			return nil, translate(err)
		}
		r.fetched = recs
	}
	if len(r.fetched) == 0 || r.fetched[0].Seq != seq {
		return nil, r.gap(ctx, seq, seq, fmt.Errorf("%w: frame %d is missing", errFrame, seq))
	}
	f, err := r.lane.open(r.fetched[0])
	if err != nil {
		return nil, r.gap(ctx, seq, seq+1, err)
	}
	return f, nil
}

func (l *Lane) open(rec engine.Record) (*laneFrame, error) {
	h, body, err := openFrame(rec.Body, laneMagic(), l.env.codec.decoder)
	if err != nil {
		return nil, fmt.Errorf("frame %d: %w", rec.Seq, err)
	}
	return &laneFrame{header: h, seq: rec.Seq, body: body}, nil
}

// gap describes a break found at frame seq; reading can go on with the first sound frame from resume on.
func (r *laneReader) gap(ctx context.Context, seq, resume uint64, cause error) error {
	g := &GapError{Lane: r.lane.name, From: r.expect, To: r.nextID - 1, Resume: r.head, Err: cause}
	if g.From == 0 {
		g.From = r.lane.endBefore(ctx, seq)
	}
	for resume <= r.head.Frame {
		recs, err := r.lane.log.Read(ctx, resume, 1, 1)
		if err != nil {
			return errors.Join(g, translate(err))
		}
		if len(recs) == 0 {
			break
		}
		f, err := r.lane.open(recs[0])
		if err == nil {
			_, err = f.decode()
		}
		if err == nil {
			g.Resume = Position{Frame: f.seq}
			if g.To = f.First - 1; g.To < g.From {
				// The numbers repeat instead of missing: name those that come twice.
				g.From, g.To = f.First, g.From-1
			}
			return g
		}
		resume = recs[0].Seq + 1
	}
	return g
}

// endBefore is the number after the last entry of the nearest sound frame before seq; 1 when there is none.
func (l *Lane) endBefore(ctx context.Context, seq uint64) uint64 {
	for back := uint64(1); back <= lookBack && back < seq; back++ {
		recs, err := l.log.Read(ctx, seq-back, 1, 1)
		if err != nil || len(recs) == 0 || recs[0].Seq >= seq {
			continue
		}
		if f, err := l.open(recs[0]); err == nil {
			return f.end()
		}
	}
	return 1
}

func (l *Lane) firstFrame(ctx context.Context) (uint64, error) {
	first, _, err := l.log.Bounds(ctx)
	return first, translate(err)
}

// frameFrom gives the frame of that number or the next sound one; nil when there is none.
func (l *Lane) frameFrom(ctx context.Context, seq uint64) (*laneFrame, error) {
	if f := l.cache.get(seq); f != nil {
		return f, nil
	}
	for {
		recs, err := l.log.Read(ctx, seq, 1, 1)
		if err != nil || len(recs) == 0 {
			return nil, translate(err)
		}
		if f, err := l.open(recs[0]); err == nil {
			return f, nil
		}
		seq = recs[0].Seq + 1
	}
}
