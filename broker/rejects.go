package broker

import (
	"encoding/json"
	"sync"
	"time"
	"unicode/utf8"
)

// Reasons of a reject.
const (
	rejectForeign = "not this principal's topic"
	rejectUnknown = "no channel of wh/v1"
	rejectCommand = "commands come from the hub"
)

// rejectsPerMinute is what a principal may send to foreign topics before it is disconnected.
const rejectsPerMinute = 10

// rejected is the record in the rejects stream. Payload is the JSON that it was, else a string; Bytes is its length.
type rejected struct {
	Reason  string          `json:"reason"`
	Client  string          `json:"client"`
	Device  string          `json:"device"`
	Topic   string          `json:"topic"`
	QoS     byte            `json:"qos"`
	Retain  bool            `json:"retain,omitempty"`
	Bytes   int             `json:"bytes"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// reject keeps a message that may not be where it was sent: v5 is told, v3.1.1 gets its ack, nobody else gets the message.
func (c *conn) reject(r *route, p publish) error {
	c.b.count.rejected.Add(1)
	c.b.keepReject(rejected{
		Reason: r.reject, Client: c.client, Device: c.who.ID, Topic: r.topic, QoS: p.qos, Retain: p.retain,
		Bytes: len(p.payload), Payload: readable(p.payload),
	})
	a := firstAck(p)
	if c.v5 {
		a.code = codeNotAuthorized
	}
	c.refuse(r.lane, &a)
	c.pay(controlShare, unitsOf(len(p.payload)))
	if c.b.rates.over(c.who.ID, time.Now()) {
		c.bye(codeNotAuthorized, reasonRejects)
		return errClosing
	}
	return nil
}

// firstAck is the answer to p, of kind 0 when it wants none.
func firstAck(p publish) ack {
	switch p.qos {
	case 0:
		return ack{}
	case 1:
		return ack{kind: typePuback, id: p.id}
	}
	return ack{kind: typePubrec, id: p.id}
}

// acceptNotice answers what a bridge says about its own connection. It is nobody's message: it is not kept, and no reason to cut a bridge
// off that comes and goes.
func (c *conn) acceptNotice(r *route, p publish) {
	a := firstAck(p)
	c.refuse(r.lane, &a)
}

func (b *Broker) keepReject(r rejected) {
	body, err := json.Marshal(r)
	if err != nil {
		b.log.Error("reject not kept", "err", err)
		return
	}
	b.stores.rejects.AddFrom(r.Device, time.Now().UnixNano(), body)
}

// readable is a payload as JSON: itself when it is JSON, otherwise a string in which what is no UTF-8 is replaced.
func readable(p []byte) json.RawMessage {
	if len(p) == 0 {
		return nil
	}
	if utf8.Valid(p) && json.Valid(p) {
		return append(json.RawMessage(nil), p...)
	}
	text, err := json.Marshal(string(p))
	if err != nil {
		return nil
	}
	return text
}

// rates counts rejects per principal in windows of a minute. It outlives connections: coming back does not clear the count.
type rates struct {
	mu      sync.Mutex
	windows map[string]*window
}

type window struct {
	began time.Time
	n     int
}

// over counts one and reports whether it is too many.
func (r *rates) over(id string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.windows[id]
	if w == nil || now.Sub(w.began) >= time.Minute {
		w = &window{began: now}
		r.windows[id] = w
	}
	w.n++
	return w.n > rejectsPerMinute
}

// sweep forgets windows that are over.
func (r *rates) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, w := range r.windows {
		if now.Sub(w.began) >= time.Minute {
			delete(r.windows, id)
		}
	}
}
