package dashboard

import (
	"sync"
	"time"
)

// throttle slows down guessing of passwords: per address and user after five failures, per address after thirty (many
// names tried from one place), with a lock that doubles from one second to five minutes. An attempt counts as failed until
// it succeeds, so parallel attempts gain nothing.
//
// Memory is bounded by two generations: when the young one is full it becomes the old one, and what was in neither use is
// forgotten. Whoever can fill a generation from so many addresses meets the registry's own lock per name.
type throttle struct {
	mu         sync.Mutex
	young, old map[throttleKey]*tries
}

type throttleKey struct{ address, user string }

type tries struct {
	failed int
	last   time.Time
}

const (
	freeTries        = 5
	freeAddressTries = 30
	maxLock          = 5 * time.Minute
	forgetTries      = 15 * time.Minute
	maxTries         = 10_000 // keys of a generation
)

func newThrottle() *throttle { return &throttle{young: map[throttleKey]*tries{}} }

// begin counts an attempt, or tells how long to wait.
func (t *throttle) begin(address, user string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	pair, whole := t.get(throttleKey{address, user}, now), t.get(throttleKey{address: address}, now)
	wait := max(pair.wait(freeTries, now), whole.wait(freeAddressTries, now))
	if wait > 0 {
		return wait
	}
	pair.count(now)
	whole.count(now)
	return 0
}

// succeed forgets the failures of the pair and takes the attempt back from the address.
func (t *throttle) succeed(address, user string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.get(throttleKey{address, user}, now).failed = 0
	if whole := t.get(throttleKey{address: address}, now); whole.failed > 0 {
		whole.failed--
	}
}

func (t *throttle) get(k throttleKey, now time.Time) *tries {
	v, ok := t.young[k]
	if !ok {
		if v = t.old[k]; v == nil {
			v = &tries{last: now}
		}
		if len(t.young) >= maxTries {
			t.young, t.old = map[throttleKey]*tries{}, t.young
		}
		t.young[k] = v
	}
	if now.Sub(v.last) >= forgetTries {
		v.failed = 0
	}
	return v
}

func (v *tries) count(now time.Time) { v.failed, v.last = v.failed+1, now }

func (v *tries) wait(free int, now time.Time) time.Duration {
	if v.failed < free {
		return 0
	}
	lock := min(time.Second<<min(v.failed-free, 16), maxLock)
	return lock - now.Sub(v.last)
}
