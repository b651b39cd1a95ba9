package broker

import (
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// hook answers the library's questions about subscriptions.
type hook struct {
	mqtt.HookBase
	b *Broker
}

// ID names the hook in the library's log.
func (h *hook) ID() string { return "watchhouse" }

// Provides lists the calls that the hook wants.
func (h *hook) Provides(call byte) bool {
	switch call {
	case mqtt.OnACLCheck, mqtt.OnPacketEncode, mqtt.OnSubscribe, mqtt.OnSubscribed, mqtt.OnUnsubscribed, mqtt.OnPacketProcessed:
		return true
	}
	return false
}

// connOf gives the connection behind a client, nil for a session without one.
func connOf(cl *mqtt.Client) *conn {
	c, _ := cl.Net.Conn.(*conn)
	return c
}

// OnACLCheck decides about a subscription. Writes never come here: whatever asks for one is refused.
func (h *hook) OnACLCheck(cl *mqtt.Client, filter string, write bool) bool {
	c := connOf(cl)
	if write || c == nil {
		return false
	}
	plain := plainFilter(filter)
	return plain != "" && !strings.HasPrefix(plain, "$") && h.b.directory.MaySubscribe(c.who, plain) && c.fits(cl, filter)
}

// OnPacketEncode completes CONNACK with limits that the library enforces or leaves to us without telling the client, and SUBACK.
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	if c := connOf(cl); c != nil && pk.FixedHeader.Type == packets.Suback {
		c.markExcess(pk.ReasonCodes)
	}
	if pk.FixedHeader.Type == packets.Connack && pk.ReasonCode == 0 {
		pk.Properties.TopicAliasMaximum = maxAlias
		pk.Properties.MaximumPacketSize = uint32(h.b.cfg.MaxPacketBytes)
	}
	return pk
}

// OnSubscribe settles which subscriptions are new while that is still known: retain handling 1 wants retained messages for those only.
func (h *hook) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	for i, sub := range pk.Filters {
		if _, known := cl.State.Subscriptions.Get(sub.Filter); known && sub.RetainHandling == 1 {
			pk.Filters[i].RetainHandling = 2
		}
	}
	return pk
}

// OnSubscribed finds the retained messages of a new subscription. They leave after SUBACK, in OnPacketProcessed.
func (h *hook) OnSubscribed(cl *mqtt.Client, pk packets.Packet, codes []byte) {
	c := connOf(cl)
	if c == nil {
		return
	}
	for i, sub := range pk.Filters {
		if codes[i] > 2 {
			continue
		}
		if !ownCommands(plainFilter(sub.Filter)) {
			h.b.fanout.note(cl.ID, true)
		}
		if sub.RetainHandling == 2 || mqtt.IsSharedFilter(sub.Filter) {
			continue
		}
		for _, m := range h.b.retained.matching(sub.Filter) {
			o := outgoingOf(m, packets.Subscription{Qos: sub.Qos, Identifiers: map[string]int{sub.Filter: sub.Identifier}})
			o.retain = true
			c.replay = append(c.replay, o)
		}
	}
}

// OnPacketProcessed sends what OnSubscribed found.
func (h *hook) OnPacketProcessed(cl *mqtt.Client, _ packets.Packet, _ error) {
	c := connOf(cl)
	if c == nil {
		return
	}
	for _, o := range c.replay {
		if !c.deliver(o, maxReplayed) {
			h.b.count.fanoutDrops.Add(1)
		}
	}
	c.replay = nil
}

// OnUnsubscribed forgets a client that has no subscription left.
func (h *hook) OnUnsubscribed(cl *mqtt.Client, _ packets.Packet) {
	if cl.State.Subscriptions.Len() == 0 {
		h.b.fanout.note(cl.ID, false)
	}
}
