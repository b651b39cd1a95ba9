package telemetry

import "watchhouse/telemetry/scan"

// DecodeEvent decodes one event object. The error is a *FieldError or FieldErrors: an event whose Type is empty is one that cannot be
// read; one with a type is to be acted on, and the error says which of its other fields are spoilt. A spoilt ts is 0, which no clock
// is believed at. Unknown types decode without error: mapping is the reader's business (KnownEvent).
func DecodeEvent(p []byte) (Event, error) {
	s, err := openObject(p)
	if err != nil {
		return Event{}, err
	}
	var d eventDecoder
	if err := eachMember(&s, d.field); err != nil {
		return Event{}, err
	}
	s.Close()
	if !d.seen.has(fieldType) {
		d.typeFault = fault("type", wantText, gotNothing)
	}
	return d.finish(s.Flaw())
}

// eventDecoder gathers an event.
type eventDecoder struct {
	ev        Event
	seen      fieldSet
	typeFault *FieldError // of the type: without it there is no event
	faults    FieldErrors // of other fields
}

func (d *eventDecoder) field(name []byte, v scan.Value) {
	var err *FieldError
	switch string(name) {
	case "type":
		if d.typeFault = d.seen.add(fieldType, "type"); d.typeFault == nil {
			d.ev.Type, d.typeFault = text(v, "type")
		}
	case "assignment":
		if err = d.seen.add(fieldAssignment, "assignment"); err == nil {
			d.ev.Assignment, err = text(v, "assignment")
		} else {
			d.ev.Assignment = ""
		}
	case "ts":
		if d.ev.TS, err = stampField(&d.seen, v); err != nil {
			d.ev.TS = new(int64)
		}
	case "boot":
		d.ev.Boot, err = countField(&d.seen, fieldBoot, "boot", v)
	case "seq":
		d.ev.Seq, err = countField(&d.seen, fieldSeq, "seq", v)
	}
	d.faults.add(err)
}

// finish judges what was read. Behind bytes that belong to no field a call may hide, so with a flaw only a call is believed.
func (d *eventDecoder) finish(flaw *FieldError) (Event, error) {
	if flaw != nil && !CallsForHelp(d.ev.Type) {
		d.typeFault = flaw
	}
	if d.typeFault != nil {
		d.ev.Type = ""
		return d.ev, append(FieldErrors{d.typeFault}, d.faults...)
	}
	d.faults.add(flaw)
	return d.ev, d.faults.err()
}
