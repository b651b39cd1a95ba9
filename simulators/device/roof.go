package device

import (
	"math/rand/v2"
	"time"
)

// roof is the life of a gateway: a box in the sun, warmer than the air by its own heat.
type roof struct{ own float64 }

func newRoof(rng *rand.Rand) roof { return roof{own: 3 + 4*rng.Float64()} }

func (roof) live(time.Time, *rand.Rand) []string { return nil }

func (roof) wakes() time.Time { return time.Time{} }

func (r roof) measure(t time.Time, rng *rand.Rand) map[string]float64 {
	return map[string]float64{"temp_c": r.temperature(t) + 0.3*rng.NormFloat64()}
}

func (r roof) temperature(t time.Time) float64 {
	air := outdoor(t)
	return air + r.own + max(0, daily(t))*max(0, air)/3
}
