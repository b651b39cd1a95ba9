package alerts

import (
	"fmt"
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
	foreign    bool   // it came by a profile: nothing can be told to the device
	via        string // who brought it, of a device that is not registered
	event      telemetry.Event
	readable   bool
	known      bool
	fire       bool                 // the device can tell of smoke or heat
	fault      telemetry.FieldError // what could not be read, when not readable or not known
	received   int64                // Unix ms
	effective  int64                // Unix ms, the device's time where it can be believed
	clockBad   bool
	identities []string // with the type: a match on any is a redelivery
	more       repeats
}

// hear takes everything that a message says, or a run of repeats of it. A message of a profile can say several things at once,
// and repeat states.
func (x *draft) hear(p share, o registry.Origin, k *catalog.Catalog) (v verdict) {
	e := p.entry
	if !o.Registered {
		o.Topic.Device = nameStranger(o.Topic.Device)
	}
	c := call{
		via: x.via(e.Device, o), message: messageID(journal.EventLane, e.ID), topic: o.Topic, device: o.Device, registered: o.Registered,
		foreign: o.Foreign(), received: e.ReceivedNS / int64(time.Millisecond), fire: o.Registered && x.tellsFire(o.Device, k),
	}
	content, err := contentOf(e, &o)
	before := len(x.step.Inputs)
	switch {
	case content.Unread != nil:
		x.takeRun(&v, p, c.unread(*content.Unread))
	case err != nil && (!o.Registered || !o.Foreign()): // of a registered device's profile, ingest tells
		v.putAside(p, fieldFault(err))
	}
	for _, ev := range content.Events {
		x.takeRun(&v, p, c.of(ev, content, e.ReceivedNS, k))
	}
	for _, l := range content.Levels {
		if x.calls(o.Topic.Device, l, c.received) {
			x.take(&v, e, c.of(l.Event(), content, e.ReceivedNS, k))
		}
	}
	if x.folds && p.single() {
		for _, in := range x.step.Inputs[before:] {
			x.recall(in)
		}
	}
	if len(x.step.Inputs) == before {
		x.step.Inputs = append(x.step.Inputs, input{Message: c.message, Device: o.Topic.Device})
	}
	return v
}

// contentOf is what an entry says. Of one whose bulk was left out nothing is known but that it was sent.
func contentOf(e journal.Entry, o *registry.Origin) (profile.Content, error) {
	if e.Cut == 0 {
		return o.Read(e.Payload)
	}
	f := &telemetry.FieldError{
		Field: "payload", Want: fmt.Sprintf("at most %d bytes", journal.MaxLifePayload), Got: fmt.Sprintf("%d bytes", e.Cut),
	}
	return profile.Content{Unread: f}, f
}

// take applies the rules to a call, unless the ledger has counted it before.
func (x *draft) take(v *verdict, e journal.Entry, c call) {
	if x.knows(c) {
		v.duplicates++
		return
	}
	if !c.readable || !c.known {
		v.letter(e, c.fault)
	}
	for _, r := range x.rules.list {
		x.match(r, c)
	}
	x.step.Inputs = append(x.step.Inputs, c.inputs()...)
}

// inputs is what a step remembers of a call: an entry for each of its identities.
func (c call) inputs() []input {
	in := input{Message: c.message, Device: c.topic.Device}
	if len(c.identities) == 0 {
		return []input{in}
	}
	in.Device = c.seenBy()
	in.TS, in.Received = stamp(c.event.TS), c.received
	list := make([]input, 0, len(c.identities))
	for _, in.Identity = range c.identities {
		list = append(list, in)
	}
	return list
}

// unread is the call that may hide behind what could not be read.
func (c call) unread(f telemetry.FieldError) call {
	c.fault, c.effective = f, c.received
	return c
}

// of is the call that an event is.
func (c call) of(ev telemetry.Event, content profile.Content, receivedNS int64, k *catalog.Catalog) call {
	c.event, c.readable = ev, true
	c.known = knownEvent(k, c)
	if !c.known {
		c.fault = telemetry.FieldError{Field: "type", Want: "an event type of the kind", Got: "another"}
	}
	c.effective, c.clockBad = telemetry.EffectiveTime(ev.TS, receivedNS)
	c.identify(content.Identity, content.Also)
	return c
}

// identify gives a call the identities of its message.
func (c *call) identify(identity string, also []string) {
	if identity != "" {
		c.identities = append(c.identities, c.rememberedAs(c.event.Type+"|"+identity))
	}
	for _, id := range also {
		c.identities = append(c.identities, c.rememberedAs(c.event.Type+"|"+id))
	}
}

// knownEvent of an unregistered device: any kind that could call for help may be meant.
func knownEvent(k *catalog.Catalog, c call) bool {
	if c.registered {
		return k.KnownEvent(c.device.Kind, c.event.Type)
	}
	return k.KnownEvent(telemetry.EmergencyButton, c.event.Type) || k.KnownEvent(telemetry.SafetyHouse, c.event.Type)
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
	s := signal{
		device: c.topic.Device, area: c.device.Area, person: c.device.Person, at: c.received, cause: c.message,
		badges: c.badges(r), text: c.text(), more: c.more, via: c.via,
	}
	if c.via != "" {
		s = x.gather(r, s)
	}
	i := x.raise(r, s)
	if r.Receipt != "" && !c.foreign && i.listed(c.topic.Device) && !x.receipted(i.ID, c.topic.Device) {
		x.send(OutboxEntry{
			Device: c.topic.Device, Gateway: c.topic.Gateway, Type: "receipt", Incident: i.ID,
			Args: map[string]string{"stage": r.Receipt}, Expires: x.step.Now + receiptFor.Milliseconds(),
		})
	}
}

func (c call) env() eventEnv {
	return eventEnv{
		Kind: string(c.device.Kind), Type: c.event.Type, Readable: c.readable, Known: c.known, Registered: c.registered, Fire: c.fire,
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
	i.causedBy(c.more)
	x.emit(KindNoted, engineActor, c.event.Type, was.State, i)
}
