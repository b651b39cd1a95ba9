package load

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// meter is the common clock of a run: warm-up until from, measured until end, all since start.
type meter struct {
	start     time.Time
	startMS   int64
	from, end time.Duration
	seconds   []atomic.Int64
}

func newMeter(start time.Time, warmup, duration time.Duration) *meter {
	end := warmup + duration
	return &meter{
		start: start, startMS: start.UnixMilli(), from: warmup, end: end,
		seconds: make([]atomic.Int64, int((end+grace)/time.Second)+2),
	}
}

func (m *meter) now() time.Duration              { return time.Since(m.start) }
func (m *meter) measured(now time.Duration) bool { return now >= m.from && now < m.end }
func (m *meter) unixMS(now time.Duration) int64  { return m.startMS + now.Milliseconds() }
func (m *meter) count(now time.Duration, acks int64) {
	m.seconds[min(int(now/time.Second), len(m.seconds)-1)].Add(acks)
}

// watch shows progress each second until the run's end and gives the CPU time of the target and of this process in the measured part, once.
func (m *meter) watch(ctx context.Context, t Target, progress Progress) <-chan [2]time.Duration {
	out := make(chan [2]time.Duration, 1)
	go func() {
		sleep(ctx, time.Until(m.start.Add(m.from)))
		target, own := ProcessCPU(t.PID), ProcessCPU(os.Getpid())
		total := int(m.end / time.Second)
		for m.now() < m.end && ctx.Err() == nil {
			sleep(ctx, min(m.end-m.now(), time.Second))
			progress.report("running "+t.Name, min(int(m.now()/time.Second), total), total)
		}
		out <- [2]time.Duration{ProcessCPU(t.PID) - target, ProcessCPU(os.Getpid()) - own}
	}()
	return out
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (m *meter) result(t Target, c Throughput, loops []*loop) ThroughputResult {
	r := ThroughputResult{Target: t.Name, Started: m.start, Config: c, Latency: newHistogram(2)}
	for _, l := range loops {
		r.Acked += l.acked
		r.Total += l.total
		r.Unacked += int64(l.outstanding)
		r.Latency.Merge(l.hist)
		if l.err != nil {
			r.Broken++
		}
	}
	r.PerSecond = float64(r.Acked) / c.Duration.Seconds()
	for i := range int(m.end / time.Second) {
		r.Series = append(r.Series, m.seconds[i].Load())
	}
	return r
}

// parallel runs f for 0 to n-1, width at a time, until the first error, which it returns after all running calls ended.
func parallel(ctx context.Context, n, width int, f func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, width) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return ctx.Err()
}
