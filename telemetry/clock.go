package telemetry

import "time"

const (
	// EarliestMS is 2020-01-01T00:00:00Z: no device of this system is older.
	EarliestMS = 1577836800000
	// clockLead is how far a device's clock may run ahead of the hub's.
	clockLead = 5 * time.Minute
)

// EffectiveTime is the time of a message in Unix ms: ts if 2020 <= ts <= received + 5 min, else the receive time
// with clockBad set. A nil ts is the receive time, clockBad unset.
func EffectiveTime(ts *int64, receivedNS int64) (ms int64, clockBad bool) {
	received := receivedNS / int64(time.Millisecond)
	if ts == nil {
		return received, false
	}
	if *ts < EarliestMS || *ts > received+clockLead.Milliseconds() {
		return received, true
	}
	return *ts, false
}
