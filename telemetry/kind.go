package telemetry

import "time"

// Kind is what a device is; open vocabulary of [a-z_]+.
type Kind string

// Shipped kinds.
const (
	EmergencyButton  Kind = "emergency_button"
	SafetyHouse      Kind = "safety_house"
	SortingPoint     Kind = "sorting_point"
	RecyclablesPoint Kind = "recyclables_point"
	Garage           Kind = "garage"
	Gateway          Kind = "gateway"
)

// Kinds lists the shipped kinds.
func Kinds() []Kind {
	return []Kind{EmergencyButton, SafetyHouse, SortingPoint, RecyclablesPoint, Garage, Gateway}
}

// Known reports whether k is a shipped kind. A kind that is not is served all the same: its events of the common vocabulary
// and its telemetry count.
func (k Kind) Known() bool {
	switch k {
	case EmergencyButton, SafetyHouse, SortingPoint, RecyclablesPoint, Garage, Gateway:
		return true
	}
	return false
}

// Valid reports whether k has the form of a kind: 1 to 64 of [a-z_].
func (k Kind) Valid() bool {
	if k == "" || len(k) > maxID {
		return false
	}
	for i := range len(k) {
		if c := k[i]; c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// Power is how a device is fed: "mains" or "battery"; empty when not known.
type Power string

// The supplies.
const (
	Mains   Power = "mains"
	Battery Power = "battery"
)

// Valid reports whether p is mains, battery or unknown.
func (p Power) Valid() bool { return p == "" || p == Mains || p == Battery }

// DefaultReportInterval is the heartbeat interval by which silence is judged when the registry has none. A button of unknown
// supply counts as one on mains: a needless question to the maintainer is better than four hours without noticing.
func DefaultReportInterval(k Kind, p Power) time.Duration {
	switch k {
	case EmergencyButton:
		if p == Battery {
			return 4 * time.Hour
		}
		return 5 * time.Minute
	case SafetyHouse:
		return 30 * time.Second
	case Gateway:
		return 5 * time.Minute
	}
	return time.Hour
}
