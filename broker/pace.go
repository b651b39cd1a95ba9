package broker

import (
	"sync"
	"time"
)

// pace spreads sign-ins over time, so that a reconnect storm leaves the processor to those that are connected.
type pace struct {
	interval time.Duration
	burst    time.Duration // how far ahead of time sign-ins may run

	mu    sync.Mutex
	meter meter
}

func newPace(perSecond, burst int) *pace {
	interval := time.Second / time.Duration(perSecond)
	return &pace{interval: interval, burst: time.Duration(burst) * interval}
}

// queue is wait for those who will not wait longer than most: false, and nothing is charged, when it would take longer.
func (p *pace) queue(now time.Time, most time.Duration) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.meter.due.Sub(now) > p.burst+most {
		return 0, false
	}
	return p.meter.take(now, p.interval, p.burst), true
}

// wait is how long one that came at now must be held back.
func (p *pace) wait(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.meter.take(now, p.interval, p.burst)
}
