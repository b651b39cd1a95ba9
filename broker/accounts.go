package broker

import (
	"errors"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"watchhouse/registry"
)

// shareID numbers what is measured out to an account, each by itself: a flood of status does not slow its calls.
type shareID uint8

const (
	eventShare   shareID = iota
	stateShare           // status, command acks, and the records of its sessions
	controlShare         // what costs work and is no message: subscriptions, pings, repeats, rejects
	shareCount
)

// shareOf is the share that a message of a life lane is charged to.
func shareOf(l laneID) shareID {
	if l == eventLane {
		return eventShare
	}
	return stateShare
}

// sessionUnits is what a sign-in is charged to the state share: connect, disconnect and perhaps a will will be journaled.
const sessionUnits = 3

// complainEvery bounds the log lines about one account.
const complainEvery = time.Minute

// accounts knows who is connected or has a session: what they hold and what they have taken lately. An account without
// either is forgotten once its shares are whole again, so coming back does not refill them.
type accounts struct {
	limits    Limits
	directory directory
	log       *slog.Logger

	mu sync.Mutex
	by map[string]*account
}

// account is one principal. Its fields are guarded by mu; that of accounts may be held, too, and is taken first.
type account struct {
	id   string
	book *accounts

	subscribing sync.Mutex // one at a time counts what it has and adds to it

	mu       sync.Mutex
	conns    []*conn             // signing in, or signed in
	sessions map[string]struct{} // client ids, those away too
	shares   [shareCount]meter
	allowance
	known    bool // allowance is of revision
	revision uint64
	told     time.Time // of the last log line
}

func newAccounts(l Limits, d directory, log *slog.Logger) *accounts {
	return &accounts{limits: l, directory: d, log: log, by: map[string]*account{}}
}

// open gives the account of a principal. as.mu is held.
func (as *accounts) open(who registry.Principal) *account {
	a := as.by[who.ID]
	if a == nil {
		a = &account{id: who.ID, book: as, sessions: map[string]struct{}{}}
		as.by[who.ID] = a
	}
	return a
}

// sweep forgets those who have nothing here.
func (as *accounts) sweep(now time.Time) {
	as.mu.Lock()
	defer as.mu.Unlock()
	for id, a := range as.by {
		if a.gone(now) {
			delete(as.by, id)
		}
	}
}

func (a *account) gone(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.shares {
		if !a.shares[i].idle(now) {
			return false
		}
	}
	return len(a.conns) == 0 && len(a.sessions) == 0
}

// may is the account's allowance by the registry of now. a.mu is held.
func (a *account) may() allowance {
	if rev := a.book.directory.Revision(); !a.known || a.revision != rev {
		a.allowance = a.book.limits.allow(a.book.directory.Behind(a.id))
		a.known, a.revision = true, rev
	}
	return a.allowance
}

// take charges units to a share and gives how long the connection must rest for it.
func (a *account) take(s shareID, units int, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	may := a.may()
	wait := a.shares[s].take(now, time.Duration(units)*may.interval, may.burst)
	if wait > 0 && a.mayTell(now) {
		a.book.log.Warn("a sender is beyond its share and is slowed", "account", a.id, "a_second", int64(time.Second/may.interval))
	}
	return wait
}

// mayTell reports whether there may be a line about the account in the log now. a.mu is held.
func (a *account) mayTell(now time.Time) bool {
	if !a.told.IsZero() && now.Sub(a.told) < complainEvery {
		return false
	}
	a.told = now
	return true
}

// staleAfter is how long a connection must have been silent to make room for another of its account: it may be half open.
const staleAfter = 2 * time.Minute

// errQuota refuses a sign-in: the account has as many connections or sessions as it may have.
var errQuota = errors.New("the account holds all that it may")

// admission is what a sign-in costs others of the same account.
type admission struct {
	stale *conn  // must go
	away  string // client id of the session that must end
}

// enter books a connection that has proved whose it is. absent tells since when a client is away, 0 when it is not. A full account
// gives up the connection that has been silent the longest, or the session that is away the longest, so that a device which comes
// back under ever new client ids is not locked out; one whose connections all live is refused.
func (as *accounts) enter(c *conn, absent func(client string) int64) (out admission, err error) {
	as.mu.Lock()
	defer as.mu.Unlock()
	a := as.open(c.who)
	a.mu.Lock()
	defer a.mu.Unlock()
	if out.stale, err = a.connection(c); err == nil && out.stale == nil {
		out.away, err = a.session(c.client, absent)
	}
	if err != nil {
		if a.mayTell(time.Now()) {
			as.log.Warn("an account holds all the connections or sessions it may", "account", a.id, "connections", len(a.conns), "sessions", len(a.sessions))
		}
		return out, err
	}
	if delete(a.sessions, out.away); out.stale != nil {
		delete(a.sessions, out.stale.client) // it ends with its connection
	}
	a.sessions[c.client] = struct{}{}
	a.conns = append(a.conns, c)
	c.account = a
	return out, nil
}

// maxRivals bounds the connections of one client id that wait for each other to be taken over.
const maxRivals = 64

// connection finds room for a connection. One of the same client id will be taken over and does not count.
func (a *account) connection(c *conn) (stale *conn, err error) {
	others, rivals := 0, 0
	for _, o := range a.conns {
		switch {
		case o.client == c.client:
			rivals++
		case o.closed():
		default:
			others++
			if stale == nil || o.heard.Load() < stale.heard.Load() {
				stale = o
			}
		}
	}
	switch limit := a.book.limits.Connections; {
	case rivals > maxRivals:
		return nil, errQuota
	case others < limit:
		return nil, nil
	case time.Since(time.Unix(0, stale.heard.Load())) < staleAfter:
		return nil, errQuota
	}
	return stale, nil
}

// session finds room for a session.
func (a *account) session(client string, absent func(client string) int64) (away string, err error) {
	if _, has := a.sessions[client]; has || len(a.sessions) < a.book.limits.Sessions {
		return "", nil
	}
	first := int64(math.MaxInt64)
	for id := range a.sessions {
		if since := absent(id); since > 0 && since < first {
			away, first = id, since
		}
	}
	if away == "" {
		return "", errQuota
	}
	return away, nil
}

// leave takes a connection off its account, and its session unless that is kept.
func (as *accounts) leave(c *conn, kept bool) {
	a := c.account
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns = slices.DeleteFunc(a.conns, func(o *conn) bool { return o == c })
	if !kept {
		a.forget(c.client)
	}
}

// ended forgets a session that was kept for a client.
func (as *accounts) ended(client string) {
	id, _, _ := strings.Cut(client, "~")
	as.mu.Lock()
	defer as.mu.Unlock()
	if a := as.by[id]; a != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.forget(client)
	}
}

// forget drops a session that no connection holds. a.mu is held.
func (a *account) forget(client string) {
	if !slices.ContainsFunc(a.conns, func(o *conn) bool { return o.client == client }) {
		delete(a.sessions, client)
	}
}

// clients lists the sessions.
func (a *account) clients() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Keys(a.sessions))
}

// subscriptionLimit is how many subscriptions the account may have.
func (a *account) subscriptionLimit() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.may().subscriptions
}

// complain writes a line about the account, unless there was one lately.
func (a *account) complain(what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mayTell(time.Now()) {
		a.book.log.Warn(what, "account", a.id)
	}
}
