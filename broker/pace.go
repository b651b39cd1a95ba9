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

// wait is how long one that came at now must be held back.
func (p *pace) wait(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.meter.take(now, p.interval, p.burst)
}
