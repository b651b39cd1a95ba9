package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"watchhouse/journal"
)

// pump moves one lane, batch after batch. While the request of one is in flight, the next is read and decoded.
type pump struct {
	i      *Ingest
	source *source
	c      *collector
	free   chan *batch // batches to fill: one in flight, one waiting, one being filled
}

const (
	// batchesAtOnce bounds the memory of a pump.
	batchesAtOnce = 3
	// maxRest bounds the rest after a batch: on a machine where all wait for a processor, work takes long and is little.
	maxRest = 10 * time.Millisecond
)

func newPump(i *Ingest, s *source) *pump {
	p := &pump{i: i, source: s, free: make(chan *batch, batchesAtOnce), c: &collector{
		lane:    s.lane,
		decoder: decoder{lane: s.name, letters: i.letters, stats: i.stats, fields: newFieldLimit()},
		batch:   i.limits.batch, linger: i.limits.linger,
	}}
	for range batchesAtOnce {
		p.free <- &batch{}
	}
	return p
}

// run until ctx ends; then the error is nil. A journal that cannot be read is tried again; only its being closed ends it.
func (p *pump) run(ctx context.Context) error {
	logged := ""
	for ctx.Err() == nil {
		err := p.move(ctx)
		if errors.Is(err, journal.ErrClosed) {
			return fmt.Errorf("ingest: %w", err)
		}
		if ctx.Err() == nil && err.Error() != logged {
			logged = err.Error()
			p.i.log.Error("readings cannot be taken from the journal", "lane", string(p.source.name), "error", err)
		}
		_ = sleep(ctx, p.i.limits.journalPause)
	}
	return nil
}

// move begins at the mark and returns only with an error of the journal or of ctx.
func (p *pump) move(ctx context.Context) error {
	pos, err := p.source.begin(ctx)
	if err != nil {
		return err
	}
	p.c.pos = pos
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches, collected := make(chan *batch), make(chan error, 1)
	go func() {
		defer close(batches)
		collected <- p.collect(ctx, batches)
	}()
	err = p.deliver(ctx, batches)
	cancel()
	for b := range batches { // the collector may be handing one over
		p.put(b)
	}
	if read := <-collected; err == nil || errors.Is(err, context.Canceled) {
		err = read
	}
	return err
}

// collect fills batches. While catching up it rests after each as long as the work took, within maxRest.
func (p *pump) collect(ctx context.Context, batches chan<- *batch) error {
	for {
		var b *batch
		select {
		case b = <-p.free:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := p.c.collect(ctx, b, p.i.devices); err != nil {
			p.put(b)
			return err
		}
		full, work := b.full, b.work
		select {
		case batches <- b:
		case <-ctx.Done():
			p.put(b)
			return ctx.Err()
		}
		if full {
			_ = sleep(ctx, min(work, maxRest))
		}
	}
}

// deliver stores batches in their order and moves the mark.
func (p *pump) deliver(ctx context.Context, batches <-chan *batch) error {
	for b := range batches {
		err := p.i.confirm(ctx, p.source.name, b, func() { p.extend(b, batches) })
		if err == nil {
			err = p.source.confirm(ctx, b)
		}
		quiet := len(b.points) == 0
		p.put(b)
		if err != nil {
			return err
		}
		// A lane that waits for the database knows better than a ping whether it accepts.
		if quiet && !p.source.checked && p.i.writing.Load() == 0 && p.i.stats.quietFor(p.i.limits.pingEvery) {
			p.i.checkUp(ctx)
		}
	}
	return nil
}

// extend adds the next batch, if there is one by now, to a batch that is not full.
func (p *pump) extend(b *batch, batches <-chan *batch) {
	if len(b.points) >= p.i.limits.batch {
		return
	}
	select {
	case next, ok := <-batches:
		if ok {
			b.points, b.next, b.receivedNS = append(b.points, next.points...), next.next, next.receivedNS
			p.put(next)
		}
	default:
	}
}

// put gives a batch back.
func (p *pump) put(b *batch) {
	b.reset()
	p.free <- b
}
