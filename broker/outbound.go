package broker

import "encoding/binary"

const (
	maxQueued   = 1000    // live messages that a slow subscriber may fall behind
	maxReplayed = 200_000 // with the retained ones of its subscriptions
	maxWindow   = 64      // unacknowledged messages to one client, less if its Receive Maximum is
)

// message is what subscribers get. It is shared by them and never changed.
type message struct {
	topic   string
	payload []byte
	props   []byte // v5 properties as the publisher sent them
	qos     byte
	retain  bool
	from    string // client id of the publisher, "" = the hub
}

// outgoing is a message on its way to one subscriber.
type outgoing struct {
	m      *message
	qos    byte
	retain bool
	subs   []int // subscription identifiers
}

// outbound is the state of a connection that receives messages, made for the first one. Guarded by conn.mu. Nothing of it is
// kept for the next connection: commands are repeated by the outbox, the rest is lossy by contract.
type outbound struct {
	queue []outgoing
	next  uint16
	open  map[uint16]byte // id -> packet type that is awaited
}

func (o *outbound) waiting() bool { return o != nil && len(o.queue) > 0 }

// deliver queues a message; false when the subscriber is too far behind, or not there.
func (c *conn) deliver(o outgoing, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || !c.ready {
		return false
	}
	if c.pub == nil {
		c.pub = &outbound{}
	}
	if len(c.pub.queue) >= limit {
		return false
	}
	c.pub.queue = append(c.pub.queue, o)
	c.wake()
	return true
}

// addPublishes moves messages from the queue to out, as far as the window and the size of a write allow. c.mu is held.
func (c *conn) addPublishes() {
	if c.pub == nil {
		return
	}
	n := 0
	for n < len(c.pub.queue) && len(c.out) < sendBytes {
		o := c.pub.queue[n]
		if o.qos > 0 && len(c.pub.open) >= int(min(c.window, maxWindow)) {
			break
		}
		c.addPublish(o)
		n++
	}
	if c.pub.queue = c.pub.queue[n:]; len(c.pub.queue) == 0 {
		c.pub.queue = nil
	}
}

// addPublish encodes one message; one that is larger than the client takes is dropped, as MQTT 5 3.1.2.11.4 says.
func (c *conn) addPublish(o outgoing) {
	size := 2 + len(o.m.topic) + len(o.m.payload)
	props := 0
	if o.qos > 0 {
		size += 2
	}
	if c.v5 {
		props = len(o.m.props)
		for _, id := range o.subs {
			props += 1 + varintLen(id)
		}
		size += varintLen(props) + props
	}
	if c.maxPacket > 0 && uint32(1+varintLen(size)+size) > c.maxPacket {
		c.b.count.fanoutDrops.Add(1)
		return
	}
	head := byte(typePublish<<4) | o.qos<<1
	if o.retain {
		head |= 1
	}
	b := appendVarint(append(c.out, head), size)
	b = binary.BigEndian.AppendUint16(b, uint16(len(o.m.topic)))
	b = append(b, o.m.topic...)
	if o.qos > 0 {
		b = binary.BigEndian.AppendUint16(b, c.pub.open1(o.qos))
	}
	if c.v5 {
		b = append(appendVarint(b, props), o.m.props...)
		for _, id := range o.subs {
			b = appendVarint(append(b, propSubscriptionID), id)
		}
	}
	c.out = append(b, o.m.payload...)
}

// open1 takes a free packet id. There is one: the window is smaller than the ids are many.
func (o *outbound) open1(qos byte) uint16 {
	if o.open == nil {
		o.open = map[uint16]byte{}
	}
	for {
		if o.next++; o.next == 0 {
			continue
		}
		if _, taken := o.open[o.next]; !taken {
			break
		}
	}
	o.open[o.next] = typePuback
	if qos == 2 {
		o.open[o.next] = typePubrec
	}
	return o.next
}

// confirmed handles PUBACK, PUBREC and PUBCOMP of messages sent to the client. These ids are the broker's and never meet those
// of the client's own packets.
func (c *conn) confirmed(f frame) error {
	id, code, err := ackFields(f)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	kind := f.kind()
	awaited, known := byte(0), false
	if c.pub != nil {
		awaited, known = c.pub.open[id]
	}
	switch {
	case kind == typePubrec && known && awaited != typePuback && code < 0x80:
		c.pub.open[id] = typePubcomp
		c.out = appendAck(c.out, typePubrel, id, 0)
	case kind == typePubrec && !known:
		c.out = appendAck(c.out, typePubrel, id, c.v5Code(codeIDNotFound))
	case known && (kind == awaited || kind == typePubrec):
		delete(c.pub.open, id)
	}
	c.wake()
	return nil
}

func (c *conn) v5Code(code byte) byte {
	if c.v5 {
		return code
	}
	return 0
}
