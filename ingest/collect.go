package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"watchhouse/journal"
)

const (
	// readLimit is how many entries are asked for at a time, so that one read is short.
	readLimit = 1024
	// maxBatchBytes bounds the line protocol of a batch; InfluxDB 1.8 refuses bodies above 25 MB.
	maxBatchBytes = 4 << 20
	// lineBytes and fieldBytes are estimates above the usual, for maxBatchBytes.
	lineBytes, fieldBytes = 96, 32
)

// collector reads the lane and makes batches of points. It belongs to one goroutine.
type collector struct {
	lane interface {
		Read(context.Context, journal.Position, int) ([]journal.Entry, journal.Position, error)
		Wait(context.Context, journal.Position) error
	}
	decoder
	batch  int
	linger time.Duration
	pos    journal.Position
}

// batch is what one request carries. next is the lane's position after it.
type batch struct {
	points []point
	next   journal.Position
	bytes  int

	receivedNS int64         // of the last entry
	full       bool          // the lane has more: the reader is behind
	work       time.Duration // spent reading and decoding, not waiting
}

// reset empties b and keeps its memory.
func (b *batch) reset() {
	clear(b.points)
	*b = batch{points: b.points[:0]}
}

// collect waits for entries and fills the empty b. It has no points when the entries gave none. What has been read is decoded
// with the directory of after the read: a device may have been registered while the lane was quiet, and spoken at once.
func (c *collector) collect(ctx context.Context, b *batch, view func() directory) error {
	b.next = c.pos
	if err := c.lane.Wait(ctx, c.pos); err != nil {
		return fmt.Errorf("wait for entries: %w", err)
	}
	linger, cancel := context.WithTimeout(ctx, c.linger)
	defer cancel()
	for !b.full {
		began := time.Now()
		n, err := c.readInto(ctx, b, view)
		b.work += time.Since(began)
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if len(b.points) == 0 || c.lane.Wait(linger, c.pos) != nil {
			break
		}
	}
	return ctx.Err()
}

// readInto reads once and returns how many entries it took; a gap counts as one.
func (c *collector) readInto(ctx context.Context, b *batch, view func() directory) (int, error) {
	limit := min(readLimit, c.batch-len(b.points))
	entries, _, err := c.lane.Read(ctx, c.pos, limit)
	if gap := (*journal.GapError)(nil); errors.As(err, &gap) {
		c.passOver(gap)
		b.next = c.pos
		return 1, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read entries: %w", err)
	}
	now := view()
	for n := range entries {
		c.add(b, &entries[n], now)
		c.pos = entries[n].Next
		b.next, b.receivedNS = c.pos, entries[n].ReceivedNS
		if b.full = len(b.points) >= c.batch || b.bytes >= maxBatchBytes; b.full {
			return n + 1, nil
		}
	}
	return len(entries), nil
}

// passOver goes on after a break of the lane. The journal raises the alarm; here it is counted and kept on record.
func (c *collector) passOver(gap *journal.GapError) {
	c.stats.count(func(s *Stats) { s.Gaps++ })
	c.letters.add(DeadLetter{
		Lane: c.decoder.lane, Stage: StageJournal, Reason: gap.Err.Error(), ID: gap.From, LastID: gap.To, Position: c.pos.String(),
	})
	c.pos = gap.Resume
}

// add decodes an entry into the batch.
func (c *collector) add(b *batch, e *journal.Entry, view directory) {
	before := len(b.points)
	b.points = c.decode(b.points, e, view)
	for n := range b.points[before:] {
		b.bytes += lineBytes + fieldBytes*len(b.points[before+n].metrics)
	}
}
