package device

import (
	"math"
	"math/rand/v2"
	"time"

	"watchhouse/telemetry"
)

// indoor is the life of buttons and houses: a temperature that follows the day, in flats less than in gatehouses.
type indoor struct{ usual, swing float64 }

func newIndoor(kind telemetry.Kind, rng *rand.Rand) indoor {
	swing := 3.5
	if kind == telemetry.EmergencyButton {
		swing = 1.5
	}
	return indoor{usual: 19 + 4*rng.Float64(), swing: swing}
}

func (indoor) live(time.Time, *rand.Rand) []string { return nil }

func (indoor) wakes() time.Time { return time.Time{} }

func (i indoor) measure(t time.Time, rng *rand.Rand) map[string]float64 {
	return map[string]float64{"temp_c": i.temperature(t) + 0.3*rng.NormFloat64()}
}

// temperature is lowest at four in the morning and highest at four in the afternoon.
func (i indoor) temperature(t time.Time) float64 {
	return i.usual + i.swing*math.Sin((hour(t)-10)/24*2*math.Pi)
}
