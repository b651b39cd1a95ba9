package broker

import (
	"errors"
	"time"

	"watchhouse/journal"
)

// publish takes a PUBLISH to its lane. It returns an error only when the connection has to end.
func (c *conn) publish(f frame) error {
	p, err := decodePublish(f, c.v5)
	if err != nil {
		return err
	}
	c.b.count.received.Add(1)
	if err := c.spend(p); err != nil {
		return err
	}
	topic, err := c.resolve(p)
	if err != nil {
		return err
	}
	r := c.route(topic)
	switch {
	case r.notice:
		c.acceptNotice(r, p)
		return nil
	case r.reject != "":
		return c.reject(r, p)
	}
	a, q, repeated := c.ackFor(p)
	if repeated {
		c.pay(controlShare, 1)
		return nil
	}
	return c.dispatch(p, r, a, q)
}

// maxAlias is the Topic Alias Maximum that v5 clients are told.
const maxAlias = 16

// resolve gives the topic, whose access is checked after the alias has become a name.
func (c *conn) resolve(p publish) ([]byte, error) {
	if !p.aliased {
		if !validTopic(p.topic) {
			return nil, fault{codeBadTopic, "invalid topic name"}
		}
		return p.topic, nil
	}
	if p.alias == 0 || p.alias > maxAlias {
		return nil, fault{codeBadAlias, "topic alias out of range"}
	}
	if len(p.topic) == 0 {
		name, known := c.aliases[p.alias]
		if !known {
			return nil, fault{codeBadAlias, "unknown topic alias"}
		}
		return []byte(name), nil
	}
	if !validTopic(p.topic) {
		return nil, fault{codeBadTopic, "invalid topic name"}
	}
	if c.aliases == nil {
		c.aliases = make(map[uint16]string, 1)
	}
	c.aliases[p.alias] = string(p.topic)
	return p.topic, nil
}

// ackFor says how a PUBLISH is to be answered. repeated: a QoS 2 message that is in the journal, or on its way there, already.
func (c *conn) ackFor(p publish) (a ack, q *inbound2, repeated bool) {
	a = firstAck(p)
	if p.qos < 2 {
		return a, nil, false
	}
	q = c.inbound()
	known, done := q.begin(p.id)
	if done {
		c.respond(a)
	}
	return a, q, known
}

// inbound gives the session's QoS 2 memory, made on first use.
func (c *conn) inbound() *inbound2 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.qos2 == nil {
		c.qos2 = &inbound2{ids: map[uint16]bool{}, c: c}
	}
	return c.qos2
}

// dispatch submits p, or refuses it when telemetry, or the sender's share of life.db, has no room.
func (c *conn) dispatch(p publish, r *route, a ack, q *inbound2) error {
	size, lane := len(p.payload)+len(r.topic)+envelopeBytes, r.laneOf(p.payload)
	if lane == telemetryLane && c.refused.Load() {
		return c.turnAway(lane, a, q)
	}
	switch ok, err := c.admit(lane, size); {
	case err != nil:
		return err
	case !ok:
		return c.turnAway(lane, a, q)
	}
	m := c.envelope(p, r)
	item := c.b.newPending()
	item.lane, item.size, item.ack, item.q = lane, size, a, q
	if r.keep && p.retain && len(p.payload) <= journal.MaxLifePayload {
		item.retain, item.topic, item.payload, item.qos = true, r.topic, m.Payload, p.qos
	}
	if c.b.fanout.wanted() {
		item.fan = &message{topic: r.topic, payload: m.Payload, props: append([]byte(nil), p.props...), qos: p.qos, retain: p.retain, from: c.client}
	}
	item.reply = c.replyTo(r, m.Payload)
	switch err := c.submit(item, m); {
	case err == nil && lane.life():
		c.pay(shareOf(lane), unitsOf(size))
		return nil
	case err == nil || errors.Is(err, errLifeFailed):
		return err
	}
	return c.turnAway(lane, a, q)
}

// replyTo is what a platform's device or bridge is told when its report is on disk, nil for those that expect nothing, or may not read it.
func (c *conn) replyTo(r *route, payload []byte) *message {
	topic, reply, ok := r.origin.Reply(r.topic, payload)
	if !ok || !c.mayRead(topic) {
		return nil
	}
	return &message{topic: topic, payload: reply}
}

// turnAway answers what could not be taken.
func (c *conn) turnAway(l laneID, a ack, q *inbound2) error {
	c.b.count.shed.Add(1)
	q.forget(a.id)
	c.refuse(l, c.refusalOf(a))
	return nil
}

func (c *conn) envelope(p publish, r *route) journal.Message {
	return journal.Message{
		Kind:       journal.Publish,
		ReceivedNS: time.Now().UnixNano(),
		Client:     c.client,
		Device:     c.who.ID,
		Topic:      r.topic,
		QoS:        p.qos,
		Retain:     p.retain,
		Dup:        p.dup,
		Conn:       c.num,
		Payload:    c.keep(p.payload),
		Many:       c.who.Kind == "",
	}
}

// keep copies a payload out of the read buffer, which is used again. Packets that arrived together share one allocation.
func (c *conn) keep(p []byte) []byte {
	if len(p) == 0 {
		return nil
	}
	if len(p) > len(c.slab) {
		c.slab = make([]byte, max(len(p), min(len(p)+c.frames.buffered(), slabBytes)))
	}
	kept := c.slab[:len(p):len(p)]
	copy(kept, p)
	if c.slab = c.slab[len(p):]; c.frames.buffered() == 0 {
		c.slab = nil // the next packet may be hours away
	}
	return kept
}

// slabBytes bounds what a kept payload can hold in memory beside itself.
const slabBytes = 8 << 10

// release2 answers PUBREL: the id may be used again.
func (c *conn) release2(f frame) error {
	id, _, err := ackFields(f)
	if err != nil || f.raw[0]&15 != 2 {
		return errMalformed
	}
	q, a := c.memory2(), ack{kind: typePubcomp, id: id}
	if !q.forget(id) && c.v5 {
		a.code = codeIDNotFound
	}
	c.respond(a)
	return nil
}

// ackFields reads the packet id and, in v5, the reason code of an ack.
func ackFields(f frame) (id uint16, code byte, err error) {
	in := cursor{rest: f.body}
	if id = in.uint16(); id == 0 {
		return 0, 0, errMalformed
	}
	if len(in.rest) > 0 {
		code = in.rest[0]
	}
	return id, code, nil
}
