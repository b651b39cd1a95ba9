package telemetry

// Event types.
const (
	EventSOS    = "sos" // emergency button
	EventCancel = "cancel"
	EventFall   = "fall"
	EventTest   = "test"
	EventTamper = "tamper"

	EventPanic      = "panic" // safety house
	EventDuress     = "duress"
	EventCheckIn    = "check_in"
	EventCheckOut   = "check_out"
	EventPresence   = "presence"
	EventPatrolScan = "patrol_scan"
	EventDepart     = "depart" // safety house, with an assignment
	EventArrive     = "arrive"
	EventComplete   = "complete"
	EventReport     = "report"

	EventSmoke       = "smoke" // any kind
	EventHeat        = "heat"
	EventDoor        = "door"
	EventTilt        = "tilt"
	EventOpened      = "opened"
	EventEmptied     = "emptied"
	EventBagOnGround = "bag_on_ground"
)

// NeedsAssignment reports whether an event of this type means nothing without the assignment it answers.
func NeedsAssignment(typ string) bool {
	switch typ {
	case EventDepart, EventArrive, EventComplete, EventReport:
		return true
	}
	return false
}

// Event is a decoded event payload. Absent numbers are nil.
type Event struct {
	Type       string
	TS         *int64 // Unix ms
	Boot, Seq  *uint32
	Assignment string
}

// Identity is the dedupe key of a message: (device, boot, seq), else (device, seq, ts); "" when it lacks both.
func (e Event) Identity(device string) string { return identity(device, e.TS, e.Boot, e.Seq) }

// DecodeEvent decodes one event object. An error is a *FieldError naming the field; the event then holds what could be read.
// Unknown types decode without error: mapping is the reader's business (KnownEvent).
func DecodeEvent(p []byte) (Event, error) {
	var d eventDecoder
	s, err := openObject(p)
	if err == nil {
		err = d.members(&s)
	}
	if err != nil {
		return d.ev, err
	}
	if !d.seen.has(fieldType) {
		return d.ev, &FieldError{"type", wantText, gotNothing}
	}
	if d.fault != nil {
		return d.ev, d.fault
	}
	return d.ev, nil
}

// eventDecoder gathers an event; fault is the first field that was wrong in itself.
type eventDecoder struct {
	ev    Event
	seen  fieldSet
	fault *FieldError
}

func (d *eventDecoder) members(s *scanner) *FieldError {
	for first := true; ; first = false {
		key, v, more, err := s.member(first)
		if err != nil {
			return err
		}
		if !more {
			return s.close()
		}
		if v.shape != isNull {
			d.field(key, v)
		}
	}
}

func (d *eventDecoder) field(key []byte, v value) {
	var err *FieldError
	switch string(key) {
	case "type":
		if err = d.seen.add(fieldType, "type"); err == nil {
			d.ev.Type, err = v.text("type")
		}
	case "assignment":
		if err = d.seen.add(fieldAssignment, "assignment"); err == nil {
			d.ev.Assignment, err = v.text("assignment")
		}
	case "ts":
		d.ev.TS, err = stampField(&d.seen, v)
	case "boot":
		d.ev.Boot, err = countField(&d.seen, fieldBoot, "boot", v)
	case "seq":
		d.ev.Seq, err = countField(&d.seen, fieldSeq, "seq", v)
	}
	if err != nil && d.fault == nil {
		d.fault = err
	}
}

// CallsForHelp reports whether an event of this type means that a person may be in danger.
func CallsForHelp(typ string) bool {
	switch typ {
	case EventSOS, EventFall, EventPanic, EventDuress, EventSmoke, EventHeat:
		return true
	}
	return false
}
