package broker

import (
	"sync"
	"time"
)

// pace spreads new connections over time, so that a reconnect storm leaves the processor to those that are connected: a
// burst passes at once, then one each interval (the generic cell rate algorithm).
type pace struct {
	interval time.Duration
	burst    time.Duration // how far ahead of time connections may run

	mu  sync.Mutex
	due time.Time // of the next connection, if none came before
}

func newPace(perSecond, burst int) *pace {
	interval := time.Second / time.Duration(perSecond)
	return &pace{interval: interval, burst: time.Duration(burst) * interval}
}

// wait is how long a connection that came at now must be held back.
func (p *pace) wait(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due.Before(now) {
		p.due = now
	}
	p.due = p.due.Add(p.interval)
	return max(0, p.due.Sub(now)-p.burst)
}
