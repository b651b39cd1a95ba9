package dashboard

import (
	"sync"
	"time"
)

// throttle slows down guessing of passwords: per address and user after five failures, per address after thirty (many
// names tried from one place), with a lock that doubles from one second to five minutes. An attempt counts as failed until
// it succeeds, so parallel attempts gain nothing.
type throttle struct {
	mu    sync.Mutex
	tries map[throttleKey]*tries
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
	maxTries         = 20_000 // keys kept: bounds memory under a distributed attack
)

func newThrottle() *throttle { return &throttle{tries: map[throttleKey]*tries{}} }

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
func (t *throttle) succeed(address, user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tries, throttleKey{address, user})
	if whole := t.tries[throttleKey{address: address}]; whole != nil && whole.failed > 0 {
		whole.failed--
	}
}

func (t *throttle) get(k throttleKey, now time.Time) *tries {
	v := t.tries[k]
	if v != nil && now.Sub(v.last) < forgetTries {
		return v
	}
	if len(t.tries) >= maxTries {
		t.forget(now)
	}
	v = &tries{last: now}
	t.tries[k] = v
	return v
}

// forget drops old entries and, when that is not enough, any: under such an attack the lock per address still holds.
func (t *throttle) forget(now time.Time) {
	for k, v := range t.tries {
		if now.Sub(v.last) >= forgetTries {
			delete(t.tries, k)
		}
	}
	for k := range t.tries {
		if len(t.tries) < maxTries*9/10 {
			return
		}
		if k.user != "" {
			delete(t.tries, k)
		}
	}
}

func (v *tries) count(now time.Time) { v.failed, v.last = v.failed+1, now }

func (v *tries) wait(free int, now time.Time) time.Duration {
	if v.failed < free {
		return 0
	}
	lock := min(time.Second<<min(v.failed-free, 16), maxLock)
	return lock - now.Sub(v.last)
}
