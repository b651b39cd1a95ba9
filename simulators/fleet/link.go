package fleet

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"watchhouse/simulators/device"
)

// link is one connection and the devices that speak through it.
type link struct {
	fleet   *Fleet
	tls     *tls.Config // nil = not encrypted
	account Account
	name    string           // id of the MQTT client
	foreign bool             // not of wh/v1: neither status nor will
	bridge  bool             // foreign, and no member is the one that signs in
	members []*device.Device // the first signs in
	wake    chan struct{}    // something changed: queue, cut, faults

	mu        sync.Mutex
	queue     []device.Message // to publish, oldest first
	delayed   []delayed
	downUntil time.Time
	conn      net.Conn // of the session that stands
	signedIn  bool     // at least once
	refusal   error    // of the last attempt, until it has signed in
}

// delayed is a message that a fault holds back.
type delayed struct {
	device.Message
	at time.Time
}

func newLink(f *Fleet, a Account) *link {
	return &link{fleet: f, account: a, name: a.User, wake: make(chan struct{}, 1)}
}

func (l *link) owner() *device.Device { return l.members[0] }

// dead reports whether nobody is left to hold the connection.
func (l *link) dead() bool { return !l.bridge && l.owner().Dead() }

// flapping is how often the connection breaks, 0 = never.
func (l *link) flapping() time.Duration {
	if l.bridge {
		return 0
	}
	return l.owner().Flap()
}

// run keeps the link connected until ctx ends.
func (l *link) run(ctx context.Context) {
	l.pause(ctx, rand.N(l.fleet.cfg.Ramp+1))
	tries, sessions := 0, 0
	for ctx.Err() == nil {
		if wait := l.down(); wait > 0 {
			l.rest(ctx, wait)
			continue
		}
		s, err := l.connect(ctx)
		if err != nil {
			l.fleet.stats.failed.Add(1)
			l.note(err)
			l.fleet.log.Debug("connect failed", "client", l.name, "error", err)
			tries++
			l.pause(ctx, l.retryAfter(tries))
			continue
		}
		l.note(nil)
		if tries = 0; sessions > 0 {
			l.fleet.stats.reconnects.Add(1)
		}
		sessions++
		s.run(ctx)
	}
}

// note keeps why a link has never signed in.
func (l *link) note(refusal error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.signedIn = l.signedIn || refusal == nil
	l.refusal = refusal
}

// retryAfter doubles from half a second to the configured maximum, with full jitter, so that a fleet does not come back in one moment.
func (l *link) retryAfter(tries int) time.Duration {
	limit := min(l.fleet.cfg.MaxRetry, 500*time.Millisecond<<min(tries, 10))
	return 50*time.Millisecond + rand.N(limit)
}

// down is how long the link must stay away: until a cut is over, or while the battery is empty.
func (l *link) down() time.Duration {
	if l.dead() {
		return time.Hour
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Until(l.downUntil)
}

// pause waits for d or the end of ctx; rest also ends when something changes.
func (l *link) pause(ctx context.Context, d time.Duration) { wait(ctx, d, nil) }
func (l *link) rest(ctx context.Context, d time.Duration)  { wait(ctx, d, l.wake) }

func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-timer.C:
	}
}

func (l *link) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// push queues a message, now or when its delay is over.
func (l *link) push(d device.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.poke()
	l.fleet.stats.pending.Add(1)
	if d.After > 0 {
		l.delayed = append(l.delayed, delayed{d.Message, time.Now().Add(d.After)})
		return
	}
	l.queue = append(l.queue, d.Message)
}

// cut breaks the connection and keeps it broken for d.
func (l *link) cut(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.poke()
	l.downUntil = time.Now().Add(d)
	if l.conn != nil {
		l.conn.Close()
	}
}

// ripe moves delayed messages whose time has come to the queue and gives the time of the next.
func (l *link) ripe(now time.Time) (next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := l.delayed[:0]
	for _, d := range l.delayed {
		switch {
		case !d.at.After(now):
			l.queue = append(l.queue, d.Message)
		default:
			rest = append(rest, d)
			if next.IsZero() || d.at.Before(next) {
				next = d.at
			}
		}
	}
	l.delayed = rest
	return next
}

// take removes the oldest message of the queue.
func (l *link) take() (device.Message, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return device.Message{}, false
	}
	m := l.queue[0]
	l.queue = l.queue[1:]
	return m, true
}

// giveBack puts unacknowledged messages before all others, in their order.
func (l *link) giveBack(ms []device.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(ms, l.queue...)
}

func (l *link) setConn(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
}
