package alerts

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// ErrTooOld tells a subscriber to take a snapshot.
var ErrTooOld = errors.New("alerts: transitions no longer kept")

const (
	// batchSize bounds one delivery.
	batchSize = 256
	// maxBehind and patience: a reader that does not take a batch for this long while more than this many wait is cut.
	maxBehind = 1024
	patience  = 500 * time.Millisecond
)

// Subscription of one reader. It has one goroutine, which ends with Close, with the engine, or when the reader is cut.
type Subscription struct {
	ring   *ring
	ledger func(ctx context.Context, after uint64, limit int) ([]Transition, error)
	out    chan []Transition
	cancel context.CancelFunc
	done   sync.WaitGroup
	resync atomic.Bool
}

// Subscribe gives committed transitions after a number: first those kept (ring, then ledger), then live ones, without gap or
// double. If after is older than what is kept, or newer than the last, ErrTooOld: take the View. The subscription never blocks
// the engine: a reader that falls more than 1,024 behind and does not read for half a second is cut with Resync() true and
// the channel closed.
func (e *Engine) Subscribe(after uint64) (*Subscription, error) {
	floor, head, _ := e.ring.bounds()
	if after < floor || after > head {
		return nil, ErrTooOld
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Subscription{ring: e.ring, ledger: e.transitionsAfter, out: make(chan []Transition), cancel: cancel}
	s.done.Go(func() { s.run(ctx, after) })
	return s, nil
}

// C gives batches of transitions in order. It is closed when the subscription ends.
func (s *Subscription) C() <-chan []Transition { return s.out }

// Resync reports, once C is closed, that the reader was cut and must take the View.
func (s *Subscription) Resync() bool { return s.resync.Load() }

// Close ends the subscription and waits for its goroutine. Idempotent.
func (s *Subscription) Close() {
	s.cancel()
	s.done.Wait()
}

func (s *Subscription) run(ctx context.Context, next uint64) {
	defer close(s.out)
	for ctx.Err() == nil {
		list, inMemory, more, ended := s.ring.after(next, batchSize)
		if !inMemory {
			var err error
			if list, err = s.ledger(ctx, next, batchSize); err != nil || len(list) == 0 {
				s.resync.Store(ctx.Err() == nil)
				return
			}
		}
		if len(list) == 0 {
			if ended || !wait(ctx, more) {
				return
			}
			continue
		}
		if !s.deliver(ctx, list) {
			return
		}
		next = list[len(list)-1].N
	}
}

// wait blocks for news; false when ctx has ended.
func wait(ctx context.Context, more <-chan struct{}) bool {
	select {
	case <-more:
		return true
	case <-ctx.Done():
		return false
	}
}

// deliver hands one batch over, or cuts a reader that does not take it while too much waits behind it.
func (s *Subscription) deliver(ctx context.Context, list []Transition) bool {
	last := list[len(list)-1].N
	t := time.NewTicker(patience)
	defer t.Stop()
	for {
		select {
		case s.out <- list:
			return true
		case <-ctx.Done():
			return false
		case <-t.C:
			if _, head, _ := s.ring.bounds(); head > last+maxBehind {
				s.resync.Store(true)
				return false
			}
		}
	}
}

// Oldest is the smallest number Subscribe can start after.
func (e *Engine) Oldest() uint64 {
	floor, _, _ := e.ring.bounds()
	return floor
}
