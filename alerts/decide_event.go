package alerts

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// call is what one message of the event lane says, as far as it could be read.
type call struct {
	message    string // "event:12"
	topic      telemetry.Topic
	device     registry.Device
	registered bool
	event      telemetry.Event
	readable   bool
	known      bool
	fault      telemetry.FieldError // what could not be read, when not readable or not known
	received   int64                // Unix ms
	effective  int64                // Unix ms, the device's time where it can be believed
	clockBad   bool
	identity   string // with the type, "" = none
}

// verdict is what a decision leaves beside its step.
type verdict struct {
	duplicate bool        // a redelivery of a message already counted
	ignored   bool        // a bridge's retained copy
	letter    *deadLetter // for the maintainer
}

// deadLetter tells the maintainer of a message that could not be understood. It never holds a payload.
type deadLetter struct {
	Message string `json:"message"`
	Device  string `json:"device"`
	Topic   string `json:"topic"`
	Field   string `json:"field"`
	Want    string `json:"want"`
	Got     string `json:"got"`
}

// messageID names an entry of a lane, in causes and in tools.
func messageID(lane journal.LaneName, id uint64) string {
	return string(lane) + ":" + strconv.FormatUint(id, 10)
}

// decideEvent gives the step of one entry of the event lane, nil when nothing comes of it.
func (d *decider) decideEvent(b *book, p places, e journal.Entry, nowMS int64, cur cursors) (*step, verdict) {
	if e.Kind != journal.Publish {
		return nil, verdict{}
	}
	topic, err := telemetry.ParseTopic(e.Topic)
	if err != nil {
		return nil, verdict{letter: letterOf(e, fieldFault(err))}
	}
	if !live(e, topic) {
		return nil, verdict{ignored: true}
	}
	c := d.read(e, topic, p)
	var v verdict
	if !c.readable || !c.known {
		v.letter = letterOf(e, c.fault)
	}
	if b.knows(c) {
		return nil, verdict{duplicate: true}
	}
	x := d.draft(b, p, causeMessage, nowMS)
	for _, r := range d.rules.list {
		x.match(r, c)
	}
	s := x.finish(cur)
	if s != nil {
		s.Inputs = []input{{Message: c.message, Device: topic.Device, Identity: c.identity, TS: stamp(c.event.TS)}}
	}
	return s, v
}

// live tells a message from a bridge's retained copy: what a device or its gateway publishes on its own connection is live
// whatever its retain flag.
func live(e journal.Entry, t telemetry.Topic) bool {
	return !e.Retain || e.Device == t.Device || (t.Gateway != "" && e.Device == t.Gateway)
}

// read understands an entry as far as it goes.
func (d *decider) read(e journal.Entry, topic telemetry.Topic, p places) call {
	c := call{
		message: messageID(journal.EventLane, e.ID), topic: topic,
		received: e.ReceivedNS / int64(time.Millisecond),
	}
	c.device, c.registered = p.Device(topic.Device)
	var err error
	c.event, err = telemetry.DecodeEvent(e.Payload)
	c.readable = err == nil
	if err != nil {
		c.fault = fieldFault(err)
		c.event = telemetry.Event{} // what was read of it is not to be believed
		c.effective = c.received
		return c
	}
	c.known = knownEvent(p.Catalog(), c)
	if !c.known {
		c.fault = telemetry.FieldError{Field: "type", Want: "an event type of the kind", Got: "another"}
	}
	c.effective, c.clockBad = telemetry.EffectiveTime(c.event.TS, e.ReceivedNS)
	if id := c.event.Identity(topic.Device); id != "" {
		c.identity = c.event.Type + "|" + id
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
	if r.Receipt != "" {
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
	was, ok := x.answering(r.key(c.topic.Device))
	if !ok || !was.Open() {
		return
	}
	i := was.clone()
	i.badge(r.Badges...)
	i.cause(c.message)
	x.emit(KindNoted, engineActor, c.event.Type, was.State, i)
}

// fieldFault gives the first fault of a decoder's error.
func fieldFault(err error) telemetry.FieldError {
	if f, ok := errors.AsType[*telemetry.FieldError](err); ok {
		return *f
	}
	return telemetry.FieldError{Field: "payload", Want: "a decodable message", Got: "another"}
}

func letterOf(e journal.Entry, f telemetry.FieldError) *deadLetter {
	return &deadLetter{
		Message: messageID(journal.EventLane, e.ID), Device: e.Device, Topic: e.Topic,
		Field: f.Field, Want: f.Want, Got: cmp.Or(f.Got, "nothing"),
	}
}
