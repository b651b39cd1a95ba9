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
	o, err := p.Locate(e.Topic, e.Device)
	if err != nil {
		return nil, verdict{letter: letterOf(e, fieldFault(err))}
	}
	if !live(e, o.Topic) {
		return nil, verdict{ignored: true}
	}
	x := d.draft(b, p, causeMessage, nowMS)
	v := x.hear(e, o, p.Catalog())
	return x.finish(cur), v
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

func letterOf(e journal.Entry, f telemetry.FieldError) *deadLetter {
	return &deadLetter{
		Message: messageID(journal.EventLane, e.ID), Device: e.Device, Topic: e.Topic,
		Field: f.Field, Want: f.Want, Got: cmp.Or(f.Got, "nothing"),
	}
}
