package alerts

import (
	"context"
	"sync"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// OutboxEntry is a command to a device, or an order to a contact, that a step decided. It is pending until it is settled or
// Expires has passed. Delivery is the hub's: for a device, publish {"id","type","args","expires"} on the device's command topic, as a gateway's child when
// Gateway is set; the device's command/ack settles it. An order is posted to the contact's address, and Settle settles it.
type OutboxEntry struct {
	ID       string            `json:"id"`
	At       int64             `json:"at"`      // Unix ms
	Expires  int64             `json:"expires"` // Unix ms
	Device   string            `json:"device"`
	Gateway  string            `json:"gateway,omitempty"`
	Type     string            `json:"type"` // receipt, or order with a contact
	Args     map[string]string `json:"args,omitempty"`
	Incident string            `json:"incident,omitempty"`
	Contact  string            `json:"contact,omitempty"`
}

// outboxState is what the hub may deliver, as of the last commit.
type outboxState struct {
	mu      sync.Mutex
	pending []OutboxEntry
	changed chan struct{}
}

func (o *outboxState) publish(b *book) {
	list := make([]OutboxEntry, 0, len(b.outbox))
	for _, a := range b.pending {
		if e, ok := b.outbox[a.id]; ok {
			list = append(list, e)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = list
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}

// Outbox gives the committed commands that are neither settled nor expired, in order of expiry, and a channel that is closed
// when the list has changed. An entry stays in the list until the device has answered or its time is over, so a deliverer
// remembers what it has sent; after a restart it sends again what is still pending, which devices tell by the id.
func (e *Engine) Outbox() (pending []OutboxEntry, changed <-chan struct{}) {
	o := &e.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	now := e.ports.now().UnixMilli()
	for _, x := range o.pending {
		if x.Expires > now {
			pending = append(pending, x)
		}
	}
	return pending, o.changed
}

// Settle ends an outbox entry that the hub itself has delivered, or given up, and returns once that is committed. One that is
// not pending any more is no error. Errors: ErrStopped, of ctx.
func (e *Engine) Settle(ctx context.Context, id, result string) error {
	_, err := e.ask(&request{ctx: ctx, settle: &settlement{ID: id, Result: result}})
	return err
}

// decideSettle gives the step for a settlement, nil when there is nothing to settle.
func (d *decider) decideSettle(b *book, p places, s settlement, nowMS int64, cur cursors) *step {
	if _, ok := b.outbox[s.ID]; !ok {
		return nil
	}
	x := d.draft(b, p, causeDeliver, nowMS)
	x.step.Settled = []settlement{s}
	return x.finish(cur)
}

// decideAck settles the outbox entry that a device answers, nil when there is none: it has expired, or another device's id
// was used.
func (d *decider) decideAck(b *book, p places, e journal.Entry, nowMS int64, cur cursors) (*step, verdict) {
	t, err := telemetry.ParseTopic(e.Topic)
	if err != nil || !live(e, t) {
		return nil, retained(err)
	}
	ack, err := telemetry.DecodeCommandAck(e.Payload)
	if err != nil {
		l := letterOf(e, fieldFault(err))
		l.Message = messageID(journal.StateLane, e.ID)
		return nil, verdict{letters: []deadLetter{l}}
	}
	x, ok := b.outbox[ack.ID]
	if !ok || x.Device != t.Device {
		return nil, verdict{}
	}
	s := d.draft(b, p, causeAck, nowMS)
	s.step.Inputs = []input{{Message: messageID(journal.StateLane, e.ID), Device: t.Device}}
	s.step.Settled = []settlement{{ID: ack.ID, Result: ack.Result}}
	return s.finish(cur), verdict{}
}

// retained is the verdict on a copy that a bridge has kept.
func retained(err error) (v verdict) {
	if err == nil {
		v.ignored = 1
	}
	return v
}
