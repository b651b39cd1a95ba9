package alerts

import (
	"fmt"
	"slices"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
	"watchhouse/telemetry/profile"
)

// call is one thing that a message of the event lane says, as far as it could be read.
type call struct {
	message    string // "event:12"
	topic      telemetry.Topic
	device     registry.Device
	registered bool
	foreign    bool // it came by a profile: nothing can be told to the device
	event      telemetry.Event
	readable   bool
	known      bool
	fault      telemetry.FieldError // what could not be read, when not readable or not known
	received   int64                // Unix ms
	effective  int64                // Unix ms, the device's time where it can be believed
	clockBad   bool
	identity   string // with the type, "" = none
}

// hear takes everything that an entry says. A message of a profile can say several things at once, and repeat states.
func (x *draft) hear(e journal.Entry, o registry.Origin, k *catalog.Catalog) verdict {
	c := call{
		message: messageID(journal.EventLane, e.ID), topic: o.Topic, device: o.Device, registered: o.Registered,
		foreign: o.Foreign(), received: e.ReceivedNS / int64(time.Millisecond),
	}
	content, err := o.Read(e.Payload)
	var v verdict
	switch {
	case content.Unread != nil:
		x.take(&v, e, c.unread(*content.Unread))
	case err != nil && !o.Registered:
		v.letter = letterOf(e, fieldFault(err))
	}
	for _, ev := range content.Events {
		x.take(&v, e, c.of(ev, content.Identity, e.ReceivedNS, k))
	}
	for _, l := range content.Levels {
		if x.edge(o.Topic.Device, l) && l.On {
			x.take(&v, e, c.of(l.Event(), content.Identity, e.ReceivedNS, k))
		}
	}
	if len(x.step.Inputs) == 0 {
		x.step.Inputs = []input{{Message: c.message, Device: o.Topic.Device}}
	}
	return v
}

// take applies the rules to a call, unless the ledger has counted it before.
func (x *draft) take(v *verdict, e journal.Entry, c call) {
	if x.book.knows(c) {
		v.duplicate = true
		return
	}
	if !c.readable || !c.known {
		v.letter = letterOf(e, c.fault)
	}
	for _, r := range x.rules.list {
		x.match(r, c)
	}
	x.step.Inputs = append(x.step.Inputs, input{Message: c.message, Device: c.topic.Device, Identity: c.identity, TS: stamp(c.event.TS)})
}

// edge notes a level and reports whether that changed anything. What a device has never said is off.
func (x *draft) edge(device string, l profile.Level) bool {
	_, was := slices.BinarySearch(x.book.levels[device], l.Field)
	for _, earlier := range x.step.Levels {
		if earlier.Field == l.Field {
			was = earlier.On
		}
	}
	if was == l.On {
		return false
	}
	x.step.Levels = append(x.step.Levels, levelChange{device, l.Field, l.On})
	return true
}

// unread is the call that may hide behind what could not be read.
func (c call) unread(f telemetry.FieldError) call {
	c.fault, c.effective = f, c.received
	return c
}

// of is the call that an event is.
func (c call) of(ev telemetry.Event, identity string, receivedNS int64, k *catalog.Catalog) call {
	c.event, c.readable = ev, true
	c.known = knownEvent(k, c)
	if !c.known {
		c.fault = telemetry.FieldError{Field: "type", Want: "an event type of the kind", Got: "another"}
	}
	c.effective, c.clockBad = telemetry.EffectiveTime(ev.TS, receivedNS)
	if identity != "" {
		c.identity = ev.Type + "|" + identity
	}
	return c
}

// knownEvent of an unregistered device: any kind that could call for help may be meant.
func knownEvent(k *catalog.Catalog, c call) bool {
	if c.registered {
		return k.KnownEvent(c.device.Kind, c.event.Type)
	}
	return k.KnownEvent(telemetry.EmergencyButton, c.event.Type) || k.KnownEvent(telemetry.SafetyHouse, c.event.Type)
}

// sameTS is how far the device's own times of two messages of one identity may lie apart: a redelivery repeats its time,
// a device whose counters began again after a reset does not.
const sameTS = 10 * time.Minute

// knows reports whether the ledger has counted the message before.
func (b *book) knows(c call) bool {
	if c.identity == "" {
		return false
	}
	for _, s := range b.seen[c.topic.Device] {
		if s.ID != c.identity || s.At+seenFor <= b.now {
			continue
		}
		ts := stamp(c.event.TS)
		if s.TS == 0 || ts == 0 || max(ts, s.TS)-min(ts, s.TS) <= sameTS.Milliseconds() {
			return true
		}
	}
	return false
}

func stamp(ts *int64) int64 {
	if ts == nil {
		return 0
	}
	return *ts
}

// match applies one rule to a call.
func (x *draft) match(r *rule, c call) {
	if (r.Kind != ruleEvent && r.Kind != ruleFlag) || !r.applies(c.device.Kind) || !r.fires(c.env()) {
		return
	}
	if r.Kind == ruleFlag {
		x.flag(r, c)
		return
	}
	i := x.raise(r, signal{
		device: c.topic.Device, area: c.device.Area, person: c.device.Person, at: c.received, cause: c.message,
		badges: c.badges(r), text: c.text(),
	})
	if r.Receipt != "" && !c.foreign {
		x.send(OutboxEntry{
			Device: c.topic.Device, Gateway: c.topic.Gateway, Type: "receipt", Incident: i.ID,
			Args: map[string]string{"stage": r.Receipt}, Expires: x.step.Now + receiptFor.Milliseconds(),
		})
	}
}

func (c call) env() eventEnv {
	return eventEnv{
		Kind: string(c.device.Kind), Type: c.event.Type, Readable: c.readable, Known: c.known, Registered: c.registered,
	}
}

// badges of a call: its age and its clock. Never a reason not to raise.
func (c call) badges(r *rule) []string {
	var list []string
	if c.clockBad {
		list = append(list, BadgeClockFault)
	}
	if time.Duration(c.received-c.effective)*time.Millisecond > r.delayedAfter() {
		list = append(list, BadgeDelayed)
	}
	return list
}

// text says what came, without repeating anything of an unreadable payload.
func (c call) text() string {
	switch {
	case !c.readable:
		return fmt.Sprintf("unreadable: %s, want %s", c.fault.Field, c.fault.Want)
	case !c.known:
		return "unknown event type"
	}
	return c.event.Type
}

// flag marks the open incident that answers for the device, without changing anything else about it.
func (x *draft) flag(r *rule, c call) {
	was, ok := x.answering(r.key(c.topic.Device, ""))
	if !ok || !was.Open() {
		return
	}
	i := was.clone()
	i.badge(r.Badges...)
	i.cause(c.message)
	x.emit(KindNoted, engineActor, c.event.Type, was.State, i)
}
