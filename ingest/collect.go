package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"watchhouse/journal"
	"watchhouse/telemetry"
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
	letters *letterBox
	stats   *meter
	fields  *fieldLimit
	batch   int
	linger  time.Duration
	pos     journal.Position
}

// batch is what one request carries. next is the lane's position after it.
type batch struct {
	points []point
	next   journal.Position
	bytes  int
	full   bool          // the lane has more: the reader is behind
	work   time.Duration // spent reading and decoding, not waiting
}

// collect waits for entries and returns the next batch. It has no points when the entries gave none.
func (c *collector) collect(ctx context.Context, view directory) (batch, error) {
	b := batch{next: c.pos}
	if err := c.lane.Wait(ctx, c.pos); err != nil {
		return b, fmt.Errorf("wait for entries: %w", err)
	}
	linger, cancel := context.WithTimeout(ctx, c.linger)
	defer cancel()
	for !b.full {
		began := time.Now()
		n, err := c.readInto(ctx, &b, view)
		b.work += time.Since(began)
		if err != nil {
			return b, err
		}
		if n > 0 {
			continue
		}
		if len(b.points) == 0 || c.lane.Wait(linger, c.pos) != nil {
			break
		}
	}
	return b, ctx.Err()
}

// extend adds what can be read now to a batch that is not full.
func (c *collector) extend(ctx context.Context, b *batch, view directory) error {
	for !b.full {
		if n, err := c.readInto(ctx, b, view); err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// readInto reads once and returns how many entries it took; a gap counts as one.
func (c *collector) readInto(ctx context.Context, b *batch, view directory) (int, error) {
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
	for n := range entries {
		c.decode(b, &entries[n], view)
		c.pos = entries[n].Next
		b.next = c.pos
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
		Stage: StageJournal, Reason: gap.Err.Error(), ID: gap.From, LastID: gap.To, Position: c.pos.String(),
	})
	c.pos = gap.Resume
}

// decode adds the points of an entry. What cannot be decoded becomes a dead letter, the rest of the message is used.
func (c *collector) decode(b *batch, e *journal.Entry, view directory) {
	if e.Kind != journal.Publish {
		return // ticks
	}
	topic, err := telemetry.ParseTopic(e.Topic)
	if err == nil && topic.Channel != telemetry.ChannelTelemetry {
		err = &telemetry.FieldError{Field: "topic.channel", Want: string(telemetry.ChannelTelemetry), Got: string(topic.Channel)}
	}
	var readings []telemetry.Reading
	if err == nil {
		readings, err = telemetry.DecodeTelemetry(e.Payload)
	}
	if err != nil {
		c.stats.count(func(s *Stats) { s.Undecodable++ })
		c.letters.add(letterFor(e, StageDecode, err.Error()))
	}
	p := point{device: topic.Device, from: e}
	d, ok := view.Device(topic.Device)
	if ok {
		p.area, p.kind = tagValue(d.Area), tagValue(string(d.Kind))
	}
	stamps := newStamper(e, len(readings))
	for n := range readings {
		p.index, p.late = n, 0
		if p.ns, p.clockBad = stamps.time(&readings[n], n); readings[n].TS != nil && !p.clockBad {
			p.late = lateness(p.ns, e, d.Interval())
		}
		c.add(b, p, &readings[n])
	}
}

// add makes the point of one reading; a reading without a number makes none.
func (c *collector) add(b *batch, p point, r *telemetry.Reading) {
	p.metrics = c.keep(p, r)
	if len(p.metrics) == 0 {
		return
	}
	b.points = append(b.points, p)
	b.bytes += lineBytes + fieldBytes*len(p.metrics)
}

// keep gives the metrics of r that can be stored, and reports the others.
func (c *collector) keep(p point, r *telemetry.Reading) []telemetry.Metric {
	var dropped []string
	kept := r.Metrics[:0]
	for _, m := range r.Metrics {
		if storable(m.Name) && finite(m.Value) && c.fields.admit(p.device, m.Name) {
			kept = append(kept, m)
			continue
		}
		dropped = append(dropped, m.Name)
	}
	if len(dropped) > 0 {
		c.stats.count(func(s *Stats) { s.DroppedFields += uint64(len(dropped)) })
		letter := letterFor(p.from, StagePoint, "a reserved or unusable name, no finite number, or too many names of one device")
		letter.Readings, letter.Metrics = []int{p.index}, dropped
		c.letters.add(letter)
	}
	return kept
}
