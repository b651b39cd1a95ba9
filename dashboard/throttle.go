package dashboard

import (
	"net/netip"
	"sync"
	"time"
)

// throttle slows down guessing of passwords: after five failures of a name from one address there is a delay that doubles from one
// second to five minutes. An attempt counts as failed until it succeeds, so parallel attempts gain nothing.
//
// Nobody can keep anybody else out. There is no lock of a name, which strangers could renew, nor of an address, behind which a whole
// office may be; a browser that has signed in as the user before is counted by itself. What one address can take of the processors is
// bounded by how many of its attempts may be under way.
//
// Memory is bounded by two generations: when the young one is full it becomes the old one, and what was in neither use is
// forgotten.
type throttle struct {
	mu         sync.Mutex
	young, old map[throttleKey]*tries
}

// attempt is who tries to sign in. browser is the number of a known browser, "" for a stranger's.
type attempt struct{ address, user, browser string }

type throttleKey struct{ address, user, browser string }

type tries struct {
	failed int
	flying int // attempts of an address that are under way
	last   time.Time
}

const (
	freeTries   = 5
	maxFlying   = 4
	maxLock     = 5 * time.Minute
	forgetTries = 15 * time.Minute
	maxTries    = 10_000 // keys of a generation
)

func newThrottle() *throttle { return &throttle{young: map[throttleKey]*tries{}} }

// begin counts an attempt, or tells how long to wait. An attempt that began must end.
func (t *throttle) begin(a attempt, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.get(a.key(), now)
	if wait := own.wait(now); wait > 0 {
		return wait
	}
	if a.browser == "" {
		whole := t.get(throttleKey{address: network(a.address)}, now)
		if whole.flying >= maxFlying {
			return time.Second
		}
		whole.flying++
	}
	own.failed, own.last = own.failed+1, now
	return 0
}

// outcome of an attempt.
type outcome int

const (
	wrong   outcome = iota
	right           // forgets the failures
	untried         // the password was not looked at: it does not count
)

func (t *throttle) end(a attempt, how outcome, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if whole := t.get(throttleKey{address: network(a.address)}, now); a.browser == "" && whole.flying > 0 {
		whole.flying--
	}
	switch own := t.get(a.key(), now); {
	case how == right:
		own.failed = 0
	case how == untried && own.failed > 0:
		own.failed--
	}
}

// key is what failures are counted by: a known browser by itself, wherever it is.
func (a attempt) key() throttleKey {
	if a.browser != "" {
		return throttleKey{user: a.user, browser: a.browser}
	}
	return throttleKey{address: network(a.address), user: a.user}
}

// network is what one person has of addresses: an IPv4 address, or the /64 of an IPv6 one.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
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

func (v *tries) wait(now time.Time) time.Duration {
	if v.failed < freeTries {
		return 0
	}
	lock := min(time.Second<<min(v.failed-freeTries, 16), maxLock)
	return lock - now.Sub(v.last)
}
