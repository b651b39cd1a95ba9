package alerts

import "time"

// Lag is how far the engine's readers are behind the lane heads, in messages, and its time behind the wall.
func (e *Engine) Lag() (messages uint64, behind time.Duration) {
	oldest := int64(0)
	for _, l := range []struct {
		lane lane
		p    *progress
	}{{e.ports.event, &e.progress.event}, {e.ports.state, &e.progress.state}, {e.ports.telemetry, &e.progress.telemetry}} {
		pos, ns := l.p.get()
		n := l.lane.Depth(pos)
		if l.p == &e.progress.event { // what was decided out of turn waits no longer
			n = min(n, e.Backlog().Messages)
		}
		messages += n
		if n > 0 && (oldest == 0 || ns < oldest) {
			oldest = ns
		}
	}
	if messages > 0 && oldest > 0 {
		behind = max(time.Duration(e.ports.now().UnixNano()-oldest), 0)
	}
	return messages, behind
}

// Backlog is what has been received on the event lane and is not decided.
type Backlog struct {
	Messages   uint64
	FirstPress time.Duration // how long a press would have waited by now of a device that had nothing waiting
}

// Backlog tells how long a press sent now would wait: as long as the oldest one that waits, the one being read, or the commit
// under way.
func (e *Engine) Backlog() Backlog {
	b := e.inbox
	b.mu.Lock()
	read, waiting := b.read.pos, b.waiting
	b.mu.Unlock()
	unread := e.ports.event.Depth(read)
	return Backlog{uint64(waiting) + unread, b.firstPress(e.ports.now(), unread > 0)}
}

// inboxLag is what the waiting is told by.
type inboxLag struct {
	late    time.Duration // of the last message read
	begun   bool          // anything has been read
	full    time.Time     // since when the reader waits for room
	pending time.Time     // since when something is decided and not committed
}

// committed tells that everything taken is.
func (b *inbox) committed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lag.pending = time.Time{}
}

func (b *inbox) firstPress(now time.Time, unread bool) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	since := func(t time.Time) time.Duration {
		if t.IsZero() {
			return 0
		}
		return now.Sub(t)
	}
	wait = since(b.lag.pending)
	if len(b.fresh) > 0 {
		wait = max(wait, now.Sub(time.Unix(0, b.fresh[0].items[0].reps[0].receivedNS)))
	}
	switch {
	case unread && b.lag.begun:
		wait = max(wait, b.lag.late+since(b.lag.full))
	case unread && b.read.ns > 0: // nothing was read yet: it waits since the last start at least
		wait = max(wait, now.Sub(time.Unix(0, b.read.ns)))
	}
	return max(wait, 0)
}

// behind reports whether a lane holds more than has been read.
func (b *inbox) behind(l lane) bool { return l.Depth(b.readTo().pos) > 0 }
