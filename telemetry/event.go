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

// CallsForHelp reports whether an event of this type means that a person may be in danger.
func CallsForHelp(typ string) bool {
	switch typ {
	case EventSOS, EventFall, EventPanic, EventDuress, EventSmoke, EventHeat:
		return true
	}
	return false
}
