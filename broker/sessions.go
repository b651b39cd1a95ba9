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

// sessions keeps the QoS 2 memory of clients that are away and mean to come back.
type sessions struct {
	mu   sync.Mutex
	away map[string]*inbound2
}

// resume gives a client its memory back.
func (s *sessions) resume(c *conn) *inbound2 {
	s.mu.Lock()
	q := s.away[c.client]
	delete(s.away, c.client)
	s.mu.Unlock()
	if q != nil {
		q.mu.Lock()
		q.c = c
		q.mu.Unlock()
	}
	return q
}

func (s *sessions) keep(client string, q *inbound2) {
	if q.empty() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away[client] = q
}

func (s *sessions) drop(client string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.away, client)
}

// persistent reports whether a client's session outlives its connection.
func persistent(cl *mqtt.Client) bool {
	if cl.Properties.ProtocolVersion == 5 {
		return cl.Properties.Props.SessionExpiryInterval > 0
	}
	return !cl.Properties.Clean
}

// sweep ends sessions whose client stayed away too long. The library's own sweep would leave their subscriptions behind.
func (b *Broker) sweep(now time.Time) {
	for id, cl := range b.lib.Clients.GetAll() {
		away := cl.StopTime()
		if away == 0 || b.table.client(id) != nil {
			continue
		}
		limit := sessionLimit
		if cl.Properties.ProtocolVersion == 5 {
			limit = min(limit, time.Duration(cl.Properties.Props.SessionExpiryInterval)*time.Second)
		}
		if now.Sub(time.Unix(away, 0)) > limit {
			b.dropClient(cl)
		}
	}
	b.rates.sweep(now)
}

// dropClient takes everything of a session out of the library.
func (b *Broker) dropClient(cl *mqtt.Client) {
	b.lib.UnsubscribeClient(cl)
	b.lib.Clients.Delete(cl.ID)
	b.fanout.note(cl.ID, false)
	b.sessions.drop(cl.ID)
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
}
