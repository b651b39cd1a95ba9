package broker

import (
	"context"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
)

const (
	sessionLimit  = 24 * time.Hour // how long a session is kept for a client that is away
	sweepEvery    = time.Minute
	snapshotEvery = 10 // sweeps
)

// sessions keeps the QoS 2 memory of clients that are away and mean to come back, and until when they may.
type sessions struct {
	mu    sync.Mutex
	away  map[string]*inbound2
	until map[string]time.Time
}

// resume gives a client its memory back.
func (s *sessions) resume(c *conn) *inbound2 {
	s.mu.Lock()
	q := s.away[c.client]
	delete(s.away, c.client)
	delete(s.until, c.client)
	s.mu.Unlock()
	if q != nil {
		q.mu.Lock()
		q.c = c
		q.mu.Unlock()
	}
	return q
}

func (s *sessions) keep(client string, q *inbound2, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until[client] = until
	if !q.empty() {
		s.away[client] = q
	}
}

func (s *sessions) drop(client string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.away, client)
	delete(s.until, client)
}

// over reports whether the session of a client that is away has ended. The memory of it goes with the next sweep, or when the client
// comes back.
func (s *sessions) over(client string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, away := s.until[client]
	return away && !now.Before(until)
}

// persistent reports whether a client's session outlives its connection.
func persistent(cl *mqtt.Client) bool {
	if cl.Properties.ProtocolVersion == 5 {
		return cl.Properties.Props.SessionExpiryInterval > 0
	}
	return !cl.Properties.Clean
}

// expiry is how long a client's session outlives its connection.
func expiry(cl *mqtt.Client) time.Duration {
	if cl.Properties.ProtocolVersion == 5 {
		return min(sessionLimit, time.Duration(cl.Properties.Props.SessionExpiryInterval)*time.Second)
	}
	return sessionLimit
}

// sweep ends sessions whose client stayed away too long. The library's own sweep would leave their subscriptions behind.
func (b *Broker) sweep(now time.Time) {
	for id, cl := range b.lib.Clients.GetAll() {
		if b.sessions.over(id, now) && b.table.client(id) == nil {
			b.dropClient(cl)
		}
	}
	b.rates.sweep(now)
	b.accounts.sweep(now)
	b.door.sweep(now)
}

// dropClient takes everything of a session out of the library.
func (b *Broker) dropClient(cl *mqtt.Client) {
	b.lib.UnsubscribeClient(cl)
	b.lib.Clients.Delete(cl.ID)
	b.fanout.note(cl.ID, false)
	b.sessions.drop(cl.ID)
	b.accounts.ended(cl.ID)
}

// keepHouse sweeps, saves the retained messages and watches the registry until the broker stops.
func (b *Broker) keepHouse() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	changed := b.directory.Changed()
	for n := 1; ; {
		select {
		case <-b.quit:
			return
		case <-changed:
			changed = b.directory.Changed() // before the look, or a change during it would be missed
			b.dismiss()
		case now := <-tick.C:
			b.sweep(now)
			if n++; n%snapshotEvery == 0 {
				b.saveRetained(context.Background())
			}
		}
	}
}

// dismiss disconnects who is registered no more, has another secret or kind, or a revoked certificate.
func (b *Broker) dismiss() {
	for _, id := range b.table.names() {
		for _, c := range b.table.principal(id) {
			if !b.mayStay(c) {
				c.bye(codeAdministrator, reasonRevoked)
			}
		}
	}
}

func (b *Broker) saveRetained(ctx context.Context) {
	if err := b.retained.save(ctx, b.stores.shelf, b.stores.state); err != nil {
		b.log.Error("retained status not saved", "err", err)
	}
	if err := b.door.save(ctx, b.stores.shelf); err != nil {
		b.log.Error("addresses not saved", "err", err)
	}
}
