package profile

import "watchhouse/telemetry"

// told reads the events that a message names, in its topic or beside its body, as platforms with thing models do: what else it says may
// be nothing at all. One that the model knows as a call is that call; one that looks like a call is at least one that cannot be read.
func (x *extract) told(record any) {
	if x.out.Help() {
		return // the body said it already
	}
	for _, v := range x.Envelope.event.find(nil, record, false) {
		if name, ok := v.(string); ok {
			x.toldOf(name)
		}
	}
	if x.Envelope.pattern.event {
		x.toldOf(x.Field)
	}
}

func (x *extract) toldOf(name string) {
	f := x.Model.call(name)
	switch {
	case f != nil && x.stranger && f.Ambiguous:
	case f != nil && f.events != nil:
		x.called = true
		x.event(f, true)
	case f != nil:
		x.called = true
		x.happened(f.Level) // without an end: the next one is another
	case !x.Model.named[name] && x.Model.helps && !x.stranger && suspicious(name, true):
		x.called = true
		x.unread(fault(nameOf(name), "an event of the model", "one that looks like a call"))
	}
}

func (x *extract) happened(typ string) {
	if len(x.out.Events) < maxRecords {
		x.out.Events = append(x.out.Events, telemetry.Event{Type: typ, TS: x.ts})
	}
}

// call is the field of a name whose value can be a call, nil for none.
func (m *Model) call(name string) *field {
	for i := range m.fields {
		f := &m.fields[i]
		for p := &f.path; p != nil && f.call(); p = p.or {
			if len(p.steps) == 1 && p.steps[0].name == name {
				return f
			}
		}
	}
	return nil
}
