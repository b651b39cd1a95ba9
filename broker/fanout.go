package broker

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mochi-mqtt/server/v2/packets"

	"watchhouse/telemetry"
)

// fanoutQueue is how many committed messages may wait for the fan-out; more are dropped and counted, never waited for.
const fanoutQueue = 8192

// fanout brings committed messages to ordinary subscribers, in its own goroutine.
type fanout struct {
	queue chan *message
	mu    sync.Mutex
	by    map[string]struct{} // client ids with subscriptions that a device's message may match
	n     atomic.Int32
}

func newFanout() *fanout {
	return &fanout{queue: make(chan *message, fanoutQueue), by: map[string]struct{}{}}
}

// wanted reports whether anybody may be interested, so that the others cost nothing.
func (f *fanout) wanted() bool { return f.n.Load() > 0 }

// note keeps count of who subscribes.
func (f *fanout) note(client string, subscribes bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if subscribes {
		f.by[client] = struct{}{}
	} else {
		delete(f.by, client)
	}
	f.n.Store(int32(len(f.by)))
}

// offer is called by the committer: it does not wait.
func (f *fanout) offer(m *message) bool {
	select {
	case f.queue <- m:
		return true
	default:
		return false
	}
}

// fan runs until the broker stops.
func (b *Broker) fan() {
	for {
		select {
		case m := <-b.fanout.queue:
			b.spread(m)
		case <-b.quit:
			return
		}
	}
}

// spread delivers to every subscriber and reports how many took it.
func (b *Broker) spread(m *message) int {
	defer b.contain(nil, "fan-out")
	subs := b.lib.Topics.Subscribers(m.topic)
	subs.SelectShared()
	subs.MergeSharedSelected()
	n := 0
	for client, sub := range subs.Subscriptions {
		c := b.table.client(client)
		if c == nil || (sub.NoLocal || c.bridge) && m.from == client || !c.mayRead(m.topic) {
			continue
		}
		sub.RetainAsPublished = sub.RetainAsPublished || c.bridge
		if c.deliver(outgoingOf(m, sub), maxQueued) {
			n++
		} else {
			b.count.fanoutDrops.Add(1)
		}
	}
	return n
}

func outgoingOf(m *message, sub packets.Subscription) outgoing {
	o := outgoing{m: m, qos: min(m.qos, sub.Qos), retain: m.retain && sub.RetainAsPublished}
	for _, id := range sub.Identifiers {
		if id > 0 {
			o.subs = append(o.subs, id)
		}
	}
	slices.Sort(o.subs)
	return o
}

// ErrNotConnected is returned by Publish when nobody took the command.
var ErrNotConnected = errors.New("broker: device is not connected")

// Publish delivers a command to a connected device's command topic, best effort: nil means that it was handed to a connection.
// A device has its own command topic without asking, a gateway also those of its children; when a principal has several
// connections, the one whose client id is the device id gets it, else all of them. Other subscribers with a grant get copies.
func (b *Broker) Publish(topic string, payload []byte) error {
	t, err := telemetry.ParseTopic(topic)
	if err != nil {
		return err
	}
	m := &message{topic: topic, payload: slices.Clone(payload), qos: 1}
	n := 0
	owner := t.Device
	if t.Gateway != "" {
		owner = t.Gateway
	}
	subscribed := b.subscribers(topic)
	for _, c := range b.table.commandConns(owner) {
		if !subscribed[c.client] && c.deliver(outgoing{m: m, qos: 1}, maxQueued) {
			n++
		}
	}
	if n += b.spread(m); n == 0 {
		return ErrNotConnected
	}
	return nil
}

func (b *Broker) subscribers(topic string) map[string]bool {
	set := map[string]bool{}
	for client := range b.lib.Topics.Subscribers(topic).Subscriptions {
		set[client] = true
	}
	return set
}

// mayRead checks a delivery against the access rules of the day, not only those at the time of the subscription.
func (c *conn) mayRead(topic string) bool {
	rev := c.b.directory.Revision()
	c.mu.Lock()
	if c.readRevision != rev || len(c.readable) >= maxRoutes {
		c.readRevision, c.readable = rev, nil
	}
	allowed, known := c.readable[topic]
	c.mu.Unlock()
	if known {
		return allowed
	}
	allowed = c.b.directory.MaySubscribe(c.who, topic)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.readable == nil {
		c.readable = map[string]bool{}
	}
	c.readable[topic] = allowed
	return allowed
}

// sharePrefix begins a shared subscription: $share/{group}/{filter}.
const sharePrefix = "$share/"

// plainFilter takes the share group off a filter.
func plainFilter(filter string) string {
	if len(filter) < len(sharePrefix) || !strings.EqualFold(filter[:len(sharePrefix)], sharePrefix) {
		return filter
	}
	_, rest, _ := strings.Cut(filter[len(sharePrefix):], "/")
	return rest
}

// ownCommands reports whether a filter is one command topic: such a subscription matches nothing that devices send.
func ownCommands(filter string) bool {
	t, err := telemetry.ParseTopic(filter)
	return err == nil && t.Channel == telemetry.ChannelCommand
}
