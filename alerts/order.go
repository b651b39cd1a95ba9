package alerts

import "time"

// OutboxOrder is the type of an outbox entry for a contact. Its arguments name the device and say in Chinese and in English
// what is the matter and what to do.
const OutboxOrder = "order"

// orderFor is how long an order is worth delivering: what is not done by then has become an alarm.
const orderFor = 4 * time.Hour

// order sends a silent order to its contact. One without a contact, or whose contact has no address, is seen on the consoles
// only.
func (x *draft) order(r *rule, i *Incident) {
	x.send(OutboxEntry{
		Device: i.Device, Type: OutboxOrder, Incident: i.ID, Contact: i.Contact, Expires: x.step.Now + orderFor.Milliseconds(),
		Args: map[string]string{
			"title_zh": r.Title.ZH, "title_en": r.Title.EN, "todo_zh": r.Response, "todo_en": r.ResponseEN,
		},
	})
}

// withdraw settles what has not been delivered of an order that is done.
func (x *draft) withdraw(incident string) {
	for _, id := range sortedKeys(x.book.outbox) {
		if e := x.book.outbox[id]; e.Type == OutboxOrder && e.Incident == incident {
			x.step.Settled = append(x.step.Settled, settlement{ID: id, Result: "withdrawn"})
		}
	}
}
