package device

import (
	"math/rand/v2"
	"time"

	"watchhouse/telemetry"
)

// life is what the sensors of a kind feel. Times are those of the body's clock.
type life interface {
	// live lets the time until t pass and gives the events in it.
	live(t time.Time, rng *rand.Rand) []string
	// wakes is when something happens that is told at once; zero = nothing is known of.
	wakes() time.Time
	// measure reads the sensors.
	measure(t time.Time, rng *rand.Rand) map[string]float64
}

// newLife makes that of a kind; one that no model knows has a temperature.
func newLife(kind telemetry.Kind, now time.Time, rng *rand.Rand) life {
	switch kind {
	case telemetry.SortingPoint:
		return newPoint(sortingBins(rng), windows, now, rng)
	case telemetry.RecyclablesPoint:
		return newPoint(recyclingBins(rng), daytime, now, rng)
	case telemetry.Garage:
		return newGarage(rng)
	case telemetry.Gateway:
		return newRoof(rng)
	}
	return newIndoor(kind, rng)
}

// lively reports whether days can be seen in what a kind measures.
func lively(kind telemetry.Kind) bool {
	return kind == telemetry.SortingPoint || kind == telemetry.RecyclablesPoint || kind == telemetry.Garage
}
