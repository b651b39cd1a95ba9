package broker

import (
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// overQuota answers a CONNECT of an account that is full: 0x97, which v3 can only be told as "server unavailable".
func overQuota(v5 bool) packets.Code {
	if v5 {
		return packets.ErrQuotaExceeded
	}
	return packets.ErrServerUnavailable
}

// enroll books a connection with its account, at the cost of one of the account's that is half open or away, and lets it rest when
// the account signs in more often than its share allows.
func (b *Broker) enroll(c *conn) packets.Code {
	out, err := b.accounts.enter(c, b.awaySince)
	if err != nil {
		b.count.overQuota.Add(1)
		return overQuota(c.v5)
	}
	if out.stale != nil && !b.replace(out.stale) {
		return packets.ErrServerUnavailable
	}
	if out.away != "" {
		b.endAway(out.away)
	}
	c.rest(c.account.take(stateShare, sessionUnits, time.Now()))
	return packets.CodeSuccess
}

// awaySince tells since when the client of a session is away, in Unix seconds; 0 when it is not.
func (b *Broker) awaySince(client string) int64 {
	cl, ok := b.lib.Clients.Get(client)
	if !ok || b.table.client(client) != nil {
		return 0
	}
	return cl.StopTime()
}

// replace ends a connection that has been silent for long, with its session.
func (b *Broker) replace(old *conn) bool {
	old.bye(codeQuota, reasonQuota)
	limit := time.NewTimer(takeoverLimit)
	defer limit.Stop()
	select {
	case <-old.ended:
		b.endAway(old.client)
		return true
	case <-limit.C:
		return false
	}
}

// endAway ends the session of a client that is away; a will that waits for its delay is due then.
func (b *Broker) endAway(client string) {
	if cl, ok := b.lib.Clients.Get(client); ok && b.table.client(client) == nil {
		b.wills.hasten(client)
		b.dropClient(cl)
	}
}

// hasten makes a waiting will due now.
func (ws *wills) hasten(client string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if timer := ws.waiting[client]; timer != nil {
		timer.Reset(0)
	}
}

// subscribe lets the library process a SUBSCRIBE, as far as the account has room. Connections of one account take turns, so that each
// counts what the others have.
func (b *Broker) subscribe(c *conn, pk packets.Packet) error {
	c.pay(controlShare, len(pk.Filters))
	c.account.subscribing.Lock()
	defer c.account.subscribing.Unlock()
	c.asked, c.space, c.excess = pk.Filters, b.spaceFor(c.account), nil
	defer func() { c.asked, c.excess = nil, nil }()
	err := b.lib.InjectPacket(c.lib, pk)
	if len(c.excess) > 0 {
		b.count.overQuota.Add(1)
		c.account.complain("an account holds all the subscriptions it may")
	}
	return err
}

// spaceFor is how many more subscriptions an account may have.
func (b *Broker) spaceFor(a *account) int {
	space := a.subscriptionLimit()
	for _, id := range a.clients() {
		if cl, ok := b.lib.Clients.Get(id); ok {
			space -= cl.State.Subscriptions.Len()
		}
	}
	return space
}

// fits counts a filter that its client does not have yet against what is left.
func (c *conn) fits(cl *mqtt.Client, filter string) bool {
	if _, has := cl.State.Subscriptions.Get(filter); has {
		return true
	}
	if c.space <= 0 {
		c.excess = append(c.excess, filter)
		return false
	}
	c.space--
	return true
}

// markExcess gives the filters that did not fit their reason code. v3 has one for everything.
func (c *conn) markExcess(codes []byte) {
	if !c.v5 || len(codes) != len(c.asked) {
		return
	}
	for i, sub := range c.asked {
		for _, filter := range c.excess {
			if sub.Filter == filter && codes[i] == packets.ErrNotAuthorized.Code {
				codes[i] = codeQuota
			}
		}
	}
}

// pay charges the account for what was just done and, beyond its share, lets the connection rest before it reads on: what was read is
// never dropped for it, and nobody else waits.
func (c *conn) pay(s shareID, units int) {
	wait := c.account.take(s, units, time.Now())
	if wait <= 0 {
		return
	}
	c.b.count.slowed.Add(1)
	c.rest(wait)
	c.extend() // the silence was ours
}

// unitsOf is what a message of so many bytes costs.
func unitsOf(size int) int { return 1 + size/unitBytes }

// rest waits, or less when the connection closes.
func (c *conn) rest(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closing {
		room := make(chan struct{})
		c.room = room
		c.mu.Unlock()
		select {
		case <-room:
			c.mu.Lock()
		case <-timer.C:
			c.mu.Lock()
			return
		}
	}
}
