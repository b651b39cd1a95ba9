package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"watchhouse/journal/engine"
)

const (
	retryFirst = 20 * time.Millisecond
	retryMost  = time.Second
)

// batchPool recycles frame buffers.
type batchPool struct{ pool sync.Pool }

func (p *batchPool) get() *batch {
	if b, ok := p.pool.Get().(*batch); ok {
		return b
	}
	return &batch{buf: make([]byte, headerSize, 8<<10)}
}

func (p *batchPool) put(b *batch) {
	clear(b.dones)
	clear(b.booked)
	b.buf, b.dones, b.booked, b.prevNS, b.told = b.buf[:headerSize], b.dones[:0], b.booked[:0], 0, false
	p.pool.Put(b)
}

// run is the lane's committer: it takes what has gathered while the last commit was being synced, without lingering, and
// commits it at once, as one frame or several. Frames are numbered and stored strictly one after the other. On a slow disk
// more gathers, so what a lane can take does not depend on how long a sync lasts.
func (l *Lane) run(ctx context.Context) {
	defer close(l.done)
	c := committer{lane: l, pack: packer{z: l.env.codec.encoder}}
	for c.take() {
		c.commit(ctx)
		for _, b := range c.group {
			l.file.batches.put(b)
		}
	}
}

// commitBytes bounds what is committed at once, before packing.
const commitBytes = 8 << 20

// committer is the state of a lane's one committing goroutine.
type committer struct {
	lane  *Lane
	pack  packer
	group []*batch // being committed, oldest first
	heads []header // of their frames
	out   [][]byte // their frames
}

// take waits for the next batches; false when the lane is closed and drained.
func (c *committer) take() bool {
	l := c.lane
	for {
		l.mu.Lock()
		if c.group = l.next(c.group[:0]); len(c.group) > 0 {
			for _, b := range c.group {
				l.messages -= len(b.dones)
				l.bytes -= len(b.buf) - headerSize
			}
			l.mu.Unlock()
			return true
		}
		if l.closed {
			l.mu.Unlock()
			return false
		}
		l.idle = true
		l.mu.Unlock()
		<-l.wake
	}
}

// next moves what waits to group, the batch being filled last, with l.mu held.
func (l *Lane) next(group []*batch) []*batch {
	n, size := 0, 0
	for n < len(l.full) && size < commitBytes {
		size += len(l.full[n].buf)
		n++
	}
	group = append(group, l.full[:n]...)
	rest := copy(l.full, l.full[n:])
	clear(l.full[rest:])
	l.full = l.full[:rest]
	if rest == 0 && size < commitBytes && l.filling.count() > 0 {
		group = append(group, l.filling)
		l.filling = l.file.batches.get()
	}
	return group
}

// commit stores the group, retrying for as long as it takes or until ctx ends, and calls back.
func (c *committer) commit(ctx context.Context) {
	l := c.lane
	c.seal()
	first := l.head.Frame + 1
	if err := c.store(ctx, first); err != nil {
		for _, b := range c.group {
			l.tell(b, err)
		}
		return
	}
	for i, b := range c.group {
		l.cache.put(&laneFrame{header: c.heads[i], seq: first + uint64(i), body: bytes.Clone(b.buf[headerSize:])})
	}
	last := c.heads[len(c.heads)-1]
	l.mu.Lock()
	l.standing = nil
	l.charge(c.group, c.out)
	l.nextID = last.end()
	l.head = Position{Frame: first + uint64(len(c.heads)) - 1, Index: last.Count}
	l.lastAt = time.Now()
	l.wakeReaders()
	l.mu.Unlock()
	if l.pressed() {
		l.callKeeper()
	}
	for i, b := range c.group {
		b.acknowledge(c.heads[i].First, first+uint64(i))
	}
}

// seal makes the frames of the group. They are the same at every try.
func (c *committer) seal() {
	c.heads, c.out = c.heads[:0], c.out[:0]
	next := c.lane.nextID
	for _, b := range c.group {
		h := header{
			Magic: laneMagic(), Writer: c.lane.env.writer, Epoch: c.lane.env.epoch,
			First: next, TimeNS: time.Now().UnixNano(), Count: b.count(),
		}
		next = h.end()
		c.heads = append(c.heads, h)
		c.out = append(c.out, c.pack.seal(b.buf, &b.packed, h))
	}
}

// acknowledge calls the callbacks of a stored batch, unless they were told of a failure.
func (b *batch) acknowledge(first, seq uint64) {
	if b.told {
		return
	}
	for i, done := range b.dones {
		if done != nil {
			done(Receipt{ID: first + uint64(i), Pos: Position{Frame: seq, Index: uint32(i)}}, nil)
		}
	}
}

// store appends the frames from seq on. After a failure the callbacks of everything waiting are called with it, since nobody
// may wait for an acknowledgement of a disk that fails; the messages stay queued.
func (c *committer) store(ctx context.Context, seq uint64) error {
	l, pause := c.lane, retryFirst
	for {
		err := l.file.onReserve(func() error { return l.log.Append(ctx, seq-1, c.out...) })
		if err == nil {
			return nil
		}
		if stored, look := isStored(ctx, l.log, seq, c.out...); look == nil && stored {
			return nil
		} else if errors.Is(look, ErrConflict) {
			err = look
		}
		err = translate(err)
		l.fail(c.group, err)
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ErrClosed, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, retryMost)
	}
}

// isStored looks whether an append of unknown outcome succeeded: the log ends with these very records, of which the first has
// that number. ErrConflict when they are another's. They were stored all or none, so the last one tells.
func isStored(ctx context.Context, log engine.Log, seq uint64, records ...[]byte) (bool, error) {
	_, last, err := log.Bounds(ctx)
	if err != nil || last < seq {
		return false, err
	}
	recs, err := log.Read(ctx, last, 1, 1)
	if err != nil {
		return false, err
	}
	if last == seq+uint64(len(records))-1 && len(recs) == 1 && bytes.Equal(recs[0].Body, records[len(records)-1]) {
		return true, nil
	}
	return false, fmt.Errorf("%w: record %d is another writer's", ErrConflict, seq)
}

// fail makes a failure known: Submit refuses from now on, and whoever waits hears of it, oldest first.
func (l *Lane) fail(group []*batch, err error) {
	l.mu.Lock()
	if l.standing == nil {
		l.file.log.Error("journal cannot be written", "lane", string(l.name), "err", err)
	}
	l.standing = err
	if l.filling.count() > 0 {
		l.full = append(l.full, l.filling)
		l.filling = l.file.batches.get()
	}
	waiting := slices.Concat(group, l.full)
	l.mu.Unlock()
	// Nothing is added to these any more, and only this goroutine takes them.
	for _, w := range waiting {
		l.tell(w, err)
	}
}

// tell calls the callbacks of a batch with an error, once.
func (l *Lane) tell(b *batch, err error) {
	if b.told {
		return
	}
	b.told = true
	for _, done := range b.dones {
		if done != nil {
			done(Receipt{}, err)
		}
	}
}

// close refuses new messages and lets the committer drain.
func (l *Lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	l.wakeReaders()
	if l.idle {
		l.idle = false
		l.wake <- struct{}{}
	}
}
