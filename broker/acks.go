package broker

import (
	"math/rand/v2"
	"time"
)

// The jittered close of a v3 client whose telemetry is refused: clients that were refused together do not come back together.
const (
	minShedClose    = 2 * time.Second
	shedCloseSpread = 8 * time.Second
)

// settle ends a message's time in its flow and, when a is not nil, sends the ack and the refusals that waited behind it.
func (c *conn) settle(p *pending, a *ack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &c.flows[p.lane]
	f.completed++
	f.bytes -= p.size
	c.b.count.lanes[p.lane].leave(p.size, f.bytes == 0)
	c.signal()
	if a != nil {
		c.answer(*a)
	}
	c.answerRefusals(f)
	c.wake()
}

// answer appends an ack to what is to be sent. c.mu is held.
func (c *conn) answer(a ack) {
	if a.kind == 0 || c.closing {
		return
	}
	if a.kind == typePuback && c.v5 {
		c.unanswered--
	}
	c.out = appendAck(c.out, a.kind, a.id, a.code)
}

func (c *conn) answerRefusals(f *flow) {
	n := 0
	for n < len(f.refusals) && int32(f.refusals[n].after-f.completed) <= 0 {
		c.answer(f.refusals[n].ack)
		n++
	}
	if n == len(f.refusals) {
		f.refusals = nil
	} else {
		f.refusals = f.refusals[n:]
	}
}

// refuse answers a message that was not submitted, after the acks of those before it in its lane.
func (c *conn) refuse(l laneID, a *ack) {
	if a == nil || a.kind == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &c.flows[l]
	f.refusals = append(f.refusals, refusal{f.submitted, *a})
	if len(f.refusals) > maxRefusals {
		c.stop(reasonProtocol, false)
		return
	}
	c.answerRefusals(f)
	c.wake()
}

// refusalOf is the answer to telemetry that was not stored: 0x97 for v5; for v3, which has no such answer, none, and the
// connection's telemetry is refused from then on until a jittered close.
func (c *conn) refusalOf(a ack) *ack {
	if c.v5 {
		a.code = codeQuota
		return &a
	}
	if a.kind != 0 && c.refused.CompareAndSwap(false, true) {
		c.closeLater()
	}
	return nil
}

func (c *conn) closeLater() {
	delay := c.b.shedMin + rand.N(c.b.shedSpread)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		c.shed = time.AfterFunc(delay, func() { c.end(reasonShed) })
	}
}

// respond sends an ack outside any flow.
func (c *conn) respond(a ack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer(a)
	c.wake()
}
