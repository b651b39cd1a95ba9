package journal

import (
	"context"
	"fmt"
	"sync"
	"time"

	"watchhouse/journal/engine"
)

const (
	// queueMessages and queueBytes bound what waits for the disk in one lane: about half a second at full speed.
	queueMessages = 64 << 10
	queueBytes    = 32 << 20
)

// Lane is one append-only lane with its group committer. Safe for concurrent use.
type Lane struct {
	name   LaneName
	file   *file
	log    engine.Log // nil when the file could not be opened
	budget float64    // part of the file's cap that this lane may fill
	env    *laneEnv
	cache  frameCache
	done   chan struct{} // closed when the committer has ended
	wake   chan struct{} // capacity 1

	mu       sync.Mutex
	filling  *batch
	full     []*batch // sealed for lack of room, oldest first
	messages int      // waiting, not in flight
	bytes    int
	idle     bool // the committer sleeps
	closed   bool
	standing error // why the last commit failed, nil when it did not
	nextID   uint64
	head     Position
	lastAt   time.Time     // of the last commit or tick
	changed  chan struct{} // closed on the next commit, nil when nobody waits

	stored  int64 // bytes that the frames take, guarded by mu
	senders senders

	// Of whoever holds Journal.purging.
	counted, found uint64 // of the frames found at the start: the last one counted, and the last one there was
	saved          savedAccount

	cursors cursorSet
}

// laneEnv is what the lanes of a journal share.
type laneEnv struct {
	maxFrame int
	codec    *codec
	writer   uint64
	epoch    uint64
	readOnly bool
	kick     chan struct{} // calls the keeper
}

// batch is a frame being filled and the callbacks of its messages.
type batch struct {
	buf    []byte // headerSize free bytes, then the entries
	packed []byte // memory of its packed form
	dones  []func(Receipt, error)
	booked []booked
	prevNS int64
	told   bool // of a failure; the callbacks are spent
}

func (b *batch) count() uint32 { return uint32(len(b.dones)) }

// Submit queues m. When it returns nil, done is called exactly once, from the committer's goroutine, in order of
// submission: with a receipt after the fsync of its frame, or with the error of a failed commit (then the message may or
// may not be stored, must not be acknowledged, and the committer goes on retrying the frame by itself). done must not block.
// When Submit returns an error (ErrLaneFull, ErrSenderFull, ErrTooLarge, ErrClosed, a standing failure of the file) done is
// never called. Of a payload over MaxLifePayload life keeps the beginning only (Message.Cut).
// m is copied: its Payload may be reused once Submit has returned. Submit never blocks on disk. done may be nil.
func (l *Lane) Submit(m Message, done func(Receipt, error)) error {
	if l.file.reserve != nil {
		m.cut()
	}
	size := sizeBound(&m)
	if size > l.env.maxFrame-headerSize {
		return fmt.Errorf("%w: about %d bytes, at most %d", ErrTooLarge, size, l.env.maxFrame-headerSize)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refuse(&m, size); err != nil {
		return err
	}
	b := l.filling
	if len(b.buf)+size > l.env.maxFrame {
		l.full = append(l.full, b)
		b = l.file.batches.get()
		l.filling = b
	}
	before := len(b.buf)
	b.buf = appendEntry(b.buf, &m, b.prevNS)
	b.prevNS = m.ReceivedNS
	b.dones = append(b.dones, done)
	l.book(b, &m)
	l.messages++
	l.bytes += len(b.buf) - before
	if l.idle {
		l.idle = false
		l.wake <- struct{}{}
	}
	return nil
}

// refuse says why nothing may be queued, with l.mu held.
func (l *Lane) refuse(m *Message, size int) error {
	switch {
	case l.closed:
		return ErrClosed
	case l.env.readOnly || l.log == nil:
		return l.file.unavailable()
	case l.standing != nil:
		return fmt.Errorf("%w: lane %s: %w", ErrUnavailable, l.name, l.standing)
	case l.messages >= queueMessages || l.bytes+size > queueBytes:
		return fmt.Errorf("%w: %w: %s: %d messages", ErrLaneFull, ErrBusy, l.name, l.messages)
	default:
		return l.overBudget(m, size)
	}
}

// Append submits and waits.
func (l *Lane) Append(ctx context.Context, m Message) (Receipt, error) {
	type result struct {
		r   Receipt
		err error
	}
	ch := make(chan result, 1)
	if err := l.Submit(m, func(r Receipt, err error) { ch <- result{r, err} }); err != nil {
		return Receipt{}, err
	}
	select {
	case res := <-ch:
		return res.r, res.err
	case <-ctx.Done():
		return Receipt{}, ctx.Err()
	}
}

// Name of the lane.
func (l *Lane) Name() LaneName { return l.name }

// Head is the position after the last committed entry.
func (l *Lane) Head() Position {
	head, _ := l.tip(context.Background())
	return head
}

// tip is the head and the number of the next message; a read-only lane looks them up, and keeps the old ones when it cannot.
func (l *Lane) tip(ctx context.Context) (head Position, next uint64) {
	if l.env.readOnly && l.log != nil {
		if err := l.refresh(ctx); err != nil {
			l.file.log.Warn("head of a lane cannot be read", "lane", string(l.name), "err", err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head, l.nextID
}

// First is the position of the oldest entry kept.
func (l *Lane) First() Position {
	if l.log == nil {
		return Position{}
	}
	first, _, err := l.log.Bounds(context.Background())
	if err != nil || first == 0 {
		return Position{}
	}
	return Position{Frame: first}
}

// Wait blocks until there is something to read at from, or ctx ends.
func (l *Lane) Wait(ctx context.Context, from Position) error {
	if l.log == nil {
		return l.file.unavailable()
	}
	if l.env.readOnly {
		return l.waitReadOnly(ctx, from)
	}
	for {
		l.mu.Lock()
		if from.Compare(l.head) < 0 {
			l.mu.Unlock()
			return nil
		}
		if l.closed {
			l.mu.Unlock()
			return ErrClosed
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		ch := l.changed
		l.mu.Unlock()
		select {
		case <-ch:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *Lane) waitReadOnly(ctx context.Context, from Position) error {
	for {
		if err := l.refresh(ctx); err != nil {
			return err
		}
		l.mu.Lock()
		head := l.head
		l.mu.Unlock()
		if from.Compare(head) < 0 {
			return nil
		}
		if err := l.log.Wait(ctx, head.Frame); err != nil {
			return translate(err)
		}
	}
}

// wakeReaders tells who waits, with l.mu held.
func (l *Lane) wakeReaders() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// Depth is how many entries lie between p and the head.
func (l *Lane) Depth(p Position) uint64 {
	if l.log == nil {
		return 0
	}
	ctx := context.Background()
	head, next := l.tip(ctx)
	if p.Compare(head) >= 0 {
		return 0
	}
	f, err := l.frameFrom(ctx, p.Frame)
	if err != nil || f == nil {
		return 0
	}
	at := f.First
	if f.seq == p.Frame {
		at += uint64(p.Index)
	}
	return next - min(at, next)
}
