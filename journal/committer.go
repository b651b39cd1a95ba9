package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	b.buf, b.dones, b.prevNS, b.told = b.buf[:headerSize], b.dones[:0], 0, false
	p.pool.Put(b)
}

// run is the lane's committer: it takes what has gathered while the last frame was being synced, without lingering, and
// commits it as one frame. Frames are numbered and stored strictly one after the other.
func (l *Lane) run(ctx context.Context) {
	defer close(l.done)
	pack := packer{z: l.env.codec.encoder}
	for {
		b := l.take()
		if b == nil {
			return
		}
		l.commit(ctx, &pack, b)
		l.file.batches.put(b)
	}
}

// take waits for the next batch; nil when the lane is closed and drained.
func (l *Lane) take() *batch {
	for {
		l.mu.Lock()
		if b := l.next(); b != nil {
			l.messages -= len(b.dones)
			l.bytes -= len(b.buf) - headerSize
			l.mu.Unlock()
			return b
		}
		if l.closed {
			l.mu.Unlock()
			return nil
		}
		l.idle = true
		l.mu.Unlock()
		<-l.wake
	}
}

func (l *Lane) next() *batch {
	if len(l.full) > 0 {
		b := l.full[0]
		l.full = append(l.full[:0], l.full[1:]...)
		return b
	}
	if l.filling.count() == 0 {
		return nil
	}
	b := l.filling
	l.filling = l.file.batches.get()
	return b
}

// commit stores one batch, retrying for as long as it takes or until ctx ends, and calls back.
func (l *Lane) commit(ctx context.Context, pack *packer, b *batch) {
	h := header{
		Magic: laneMagic(), Writer: l.env.writer, Epoch: l.env.epoch,
		First: l.nextID, TimeNS: time.Now().UnixNano(), Count: b.count(),
	}
	seq := l.head.Frame + 1
	frame := pack.seal(b.buf, h)
	if err := l.store(ctx, seq, frame, b); err != nil {
		l.tell(b, err)
		return
	}
	l.cache.put(&laneFrame{header: h, seq: seq, body: bytes.Clone(b.buf[headerSize:])})
	l.mu.Lock()
	l.standing = nil
	l.nextID = h.end()
	l.head = Position{Frame: seq, Index: h.Count}
	l.lastAt = time.Now()
	l.wakeReaders()
	l.mu.Unlock()
	if b.told {
		return
	}
	for i, done := range b.dones {
		if done != nil {
			done(Receipt{ID: h.First + uint64(i), Pos: Position{Frame: seq, Index: uint32(i)}}, nil)
		}
	}
}

// store appends the frame. After a failure the callbacks of everything waiting are called with it, since nobody may wait
// for an acknowledgement of a disk that fails; the messages stay queued.
func (l *Lane) store(ctx context.Context, seq uint64, frame []byte, b *batch) error {
	pause := retryFirst
	for {
		err := l.log.Append(ctx, seq-1, frame)
		if err != nil && errors.Is(err, engine.ErrNoSpace) && l.file.freeReserve() {
			err = l.log.Append(ctx, seq-1, frame)
		}
		if err == nil {
			return nil
		}
		if stored, look := isStored(ctx, l.log, seq, frame); look == nil && stored {
			return nil
		} else if errors.Is(look, ErrConflict) {
			err = look
		}
		err = translate(err)
		l.fail(b, err)
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

// isStored looks whether an append of unknown outcome succeeded: the record of that number is this very one. ErrConflict
// when it is another's.
func isStored(ctx context.Context, log engine.Log, seq uint64, record []byte) (bool, error) {
	_, last, err := log.Bounds(ctx)
	if err != nil || last < seq {
		return false, err
	}
	recs, err := log.Read(ctx, seq, 1, 1)
	if err != nil {
		return false, err
	}
	if last == seq && len(recs) == 1 && bytes.Equal(recs[0].Body, record) {
		return true, nil
	}
	return false, fmt.Errorf("%w: record %d is another writer's", ErrConflict, seq)
}

// fail makes a failure known: Submit refuses from now on, and whoever waits hears of it, oldest first.
func (l *Lane) fail(b *batch, err error) {
	l.mu.Lock()
	if l.standing == nil {
		l.file.log.Error("journal cannot be written", "lane", string(l.name), "err", err)
	}
	l.standing = err
	if l.filling.count() > 0 {
		l.full = append(l.full, l.filling)
		l.filling = l.file.batches.get()
	}
	waiting := append([]*batch{b}, l.full...)
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
