package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// lifecycle holds what must be undone: stops run in reverse order of registration, each with its own time limit.
type lifecycle struct {
	log     *slog.Logger
	mu      sync.Mutex
	stops   []namedStop
	failure chan error // of the first worker that ended by itself
	once    sync.Once
	stopErr error
}

type namedStop struct {
	name  string
	limit time.Duration
	stop  func(context.Context) error
}

// stopGrace is how much longer than its limit a stop may take to notice that it is over.
const stopGrace = 500 * time.Millisecond

func newLifecycle(log *slog.Logger) *lifecycle {
	return &lifecycle{log: log, failure: make(chan error, 1)}
}

// onStop registers the undoing of what was just acquired.
func (l *lifecycle) onStop(name string, limit time.Duration, stop func(context.Context) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stops = append(l.stops, namedStop{name, limit, stop})
}

// goWorker runs work until its stop cancels it. A worker that ends by itself is a failure of the hub.
func (l *lifecycle) goWorker(name string, limit time.Duration, work func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := work(ctx)
		if ctx.Err() == nil {
			l.fail(fmt.Errorf("%s ended: %w", name, orUnexpected(err)))
		}
		done <- ignoreCancelled(err)
	}()
	l.onStop(name, limit, func(stopCtx context.Context) error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-stopCtx.Done():
			return stopCtx.Err()
		}
	})
}

// fail reports the first failure; later ones are consequences.
func (l *lifecycle) fail(err error) {
	select {
	case l.failure <- err:
	default:
	}
}

// stop undoes everything, newest first. Idempotent: later calls give the first result.
func (l *lifecycle) stop(ctx context.Context) error {
	l.once.Do(func() {
		l.mu.Lock()
		stops := l.stops
		l.mu.Unlock()
		var faults []error
		for _, s := range slices.Backward(stops) {
			faults = append(faults, l.stopOne(ctx, s))
		}
		l.stopErr = errors.Join(faults...)
	})
	return l.stopErr
}

func (l *lifecycle) stopOne(ctx context.Context, s namedStop) error {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	began, done := time.Now(), make(chan error, 1)
	go func() { done <- s.stop(ctx) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done(): // a part that does not come back must not keep the others from stopping
		select {
		case err = <-done:
		case <-time.After(stopGrace):
			err = ctx.Err()
		}
	}
	l.log.Debug("stopped", "part", s.name, "duration_ms", time.Since(began).Milliseconds())
	if err != nil {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	return nil
}

func orUnexpected(err error) error {
	if err == nil {
		return errors.New("without an error")
	}
	return err
}

func ignoreCancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
