package registry

import (
	"sync"
	"time"
)

const (
	freeFailures   = 5                // wrong passwords in a row before waiting begins
	longestWait    = 15 * time.Second // short: whoever floods a name must not keep an operator out of an emergency for long
	forgetAfter    = 15 * time.Minute
	throttledNames = 1024
)

// throttle slows guessing per name, known or not: after five failures in a row 1, 2, 4, 8, then 15 s between attempts. It is
// in memory only.
type throttle struct {
	mu    sync.Mutex
	names map[string]*failures
}

type failures struct {
	n     int
	last  time.Time
	until time.Time
}

func newThrottle() *throttle { return &throttle{names: map[string]*failures{}} }

// begin counts an attempt as failed until it succeeds, so that attempts in parallel gain nothing.
func (t *throttle) begin(name string) error {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.names[name]
	if f == nil || now.Sub(f.last) > forgetAfter {
		t.makeRoom(now)
		f = &failures{}
		t.names[name] = f
	}
	if wait := f.until.Sub(now); wait > 0 {
		return &ThrottledError{RetryAfter: wait}
	}
	f.n++
	f.last = now
	if over := f.n - freeFailures; over >= 0 {
		f.until = now.Add(min(longestWait, time.Second<<min(over, 10)))
	}
	return nil
}

// succeed forgets the failures of a name.
func (t *throttle) succeed(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.names, name)
}

// giveBack takes back an attempt that was never made.
func (t *throttle) giveBack(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.names[name]; f != nil && f.n > 0 {
		f.n--
		f.until = time.Time{}
	}
}

// makeRoom bounds the memory that invented names can take.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.names) < throttledNames {
		return
	}
	var oldest string
	for name, f := range t.names {
		if now.Sub(f.last) > forgetAfter {
			delete(t.names, name)
		} else if oldest == "" || f.last.Before(t.names[oldest].last) {
			oldest = name
		}
	}
	delete(t.names, oldest)
}
