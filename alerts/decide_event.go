package alerts

import (
	"cmp"
	"errors"
	"strconv"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// verdict is what a decision leaves beside its step.
type verdict struct {
	duplicates int          // redeliveries of messages already counted
	ignored    int          // a bridge's retained copies
	letters    []deadLetter // for the maintainer
}

func (v *verdict) letter(e journal.Entry, f telemetry.FieldError) {
	v.letters = append(v.letters, letterOf(e, f))
}

// add takes in what came of another part of the message.
func (v *verdict) add(w verdict) {
	v.duplicates, v.ignored, v.letters = v.duplicates+w.duplicates, v.ignored+w.ignored, append(v.letters, w.letters...)
}

// putAside leaves a letter for every message of a run.
func (v *verdict) putAside(p share, f telemetry.FieldError) {
	for _, r := range p.reps {
		v.letter(p.message(r), f)
	}
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

// decideEvent gives the step of one message.
func (d *decider) decideEvent(b *book, w places, e journal.Entry, nowMS int64, cur cursors) (*step, verdict) {
	one := share{&item{entry: e}, []arrival{{id: e.ID, receivedNS: e.ReceivedNS}}}
	s, v := d.decideTurn(b, w, turn{one}, nowMS, cur)
	return s, v[0]
}

// decideTurn gives the step of what one device has said, nil when nothing comes of it, and a verdict for each share.
func (d *decider) decideTurn(b *book, w places, t turn, nowMS int64, cur cursors) (*step, []verdict) {
	x := d.draft(b, w, causeMessage, nowMS)
	x.folds = t.records() > 1
	list := make([]verdict, 0, len(t))
	for _, p := range t {
		list = append(list, x.listen(p))
	}
	return x.finish(cur), list
}

// listen decides on messages of one item. What changes nothing leaves no trace in the step.
func (x *draft) listen(p share) (v verdict) {
	if p.entry.Kind != journal.Publish {
		return v
	}
	o, err := x.places.Locate(p.entry.Topic, p.entry.Device)
	if err != nil {
		v.putAside(p, fieldFault(err))
		return v
	}
	if !live(p.entry, o.Topic) {
		v.ignored = len(p.reps)
		return v
	}
	moves, inputs := x.moves, len(x.step.Inputs)
	for part := range o.All(p.entry.Payload) {
		v.add(x.hear(p, part, x.places.Catalog()))
	}
	if x.moves == moves {
		x.step.Inputs = x.step.Inputs[:inputs]
	}
	return v
}

// live tells a message from a bridge's retained copy: what a device or its gateway publishes on its own connection is live
// whatever its retain flag.
func live(e journal.Entry, t telemetry.Topic) bool {
	return !e.Retain || e.Device == t.Device || (t.Gateway != "" && e.Device == t.Gateway)
}

// fieldFault gives the first fault of a decoder's error.
func fieldFault(err error) telemetry.FieldError {
	if f, ok := errors.AsType[*telemetry.FieldError](err); ok {
		return *f
	}
	return telemetry.FieldError{Field: "payload", Want: "a decodable message", Got: "another"}
}

func letterOf(e journal.Entry, f telemetry.FieldError) deadLetter {
	return deadLetter{
		Message: messageID(journal.EventLane, e.ID), Device: e.Device, Topic: e.Topic,
		Field: f.Field, Want: f.Want, Got: cmp.Or(f.Got, "nothing"),
	}
}
