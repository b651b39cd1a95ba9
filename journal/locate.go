package journal

import (
	"context"

	"watchhouse/journal/engine"
)

// Locate gives the position of message id, or of the first kept one after it; the head when there is none.
func (l *Lane) Locate(ctx context.Context, id uint64) (Position, error) {
	if l.log == nil {
		return Position{}, l.file.unavailable()
	}
	head := l.Head()
	rec, h, err := findRecord(ctx, l.log, laneMagic(), id)
	if err != nil || rec == nil {
		return head, err
	}
	p := Position{Frame: rec.Seq}
	if id > h.First {
		p.Index = uint32(min(id-h.First, uint64(h.Count)))
	}
	if head.Compare(p) < 0 { // committed since head was taken: a reader finds it there in a moment
		return head, nil
	}
	return p, nil
}

// findRecord searches, by halving, the record that holds number n, else the first one after it. Numbers grow with the
// sequence, so no index is needed. Records whose header cannot be read count as the next readable one. nil: none.
func findRecord(ctx context.Context, log engine.Log, m magic, n uint64) (*engine.Record, header, error) {
	lo, hi, err := log.Bounds(ctx)
	if err != nil || hi == 0 {
		return nil, header{}, translate(err)
	}
	return findRecordIn(ctx, log, m, n, lo, hi+1)
}

// findRecordIn searches the records from lo on, below hi.
func findRecordIn(ctx context.Context, log engine.Log, m magic, n, lo, hi uint64) (*engine.Record, header, error) {
	var found *engine.Record
	var foundHeader header
	for lo < hi {
		mid := lo + (hi-lo)/2
		rec, h, err := readableFrom(ctx, log, m, mid, hi)
		if err != nil {
			return nil, header{}, err
		}
		if rec == nil || h.end() > n {
			if rec != nil {
				found, foundHeader = rec, h
			}
			hi = mid
			continue
		}
		lo = rec.Seq + 1
	}
	return found, foundHeader, nil
}

// readableFrom gives the first record from seq on, below end, whose header can be read.
func readableFrom(ctx context.Context, log engine.Log, m magic, seq, end uint64) (*engine.Record, header, error) {
	for seq < end {
		recs, err := log.Read(ctx, seq, 1, 1)
		if err != nil || len(recs) == 0 || recs[0].Seq >= end {
			return nil, header{}, translate(err)
		}
		if h, err := parseHeader(recs[0].Body, m); err == nil {
			return &recs[0], h, nil
		}
		seq = recs[0].Seq + 1
	}
	return nil, header{}, nil
}
