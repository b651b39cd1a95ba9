package telemetry

// Kind is what a device is; open vocabulary of [a-z_]+, see package catalog.
type Kind string

// Kinds that the program itself refers to.
const (
	EmergencyButton  Kind = "emergency_button"
	SafetyHouse      Kind = "safety_house"
	SortingPoint     Kind = "sorting_point"
	RecyclablesPoint Kind = "recyclables_point"
	Garage           Kind = "garage"
	Gateway          Kind = "gateway"
	Bridge           Kind = "bridge" // an account that publishes for devices which do not speak wh/v1
)

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
