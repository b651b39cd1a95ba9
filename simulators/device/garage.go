package device

import (
	"math"
	"math/rand/v2"
	"time"
)

// garage is the life of a bicycle garage: people plug their batteries in when they come home. A fire is lit by who plays with it.
type garage struct {
	peak    float64 // A when all charge
	warmth  float64
	burning bool
	heat    float64 // °C that a fire adds
	smoke   float64 // per cent that a fire adds
}

// A fire grows by this much with each reading, and goes by halves when it is out.
const (
	heatStep, heatMost   = 7.0, 75.0
	smokeStep, smokeMost = 9.0, 80.0
)

func newGarage(rng *rand.Rand) *garage {
	return &garage{peak: 20 + 50*rng.Float64(), warmth: 3 * rng.Float64()}
}

func (*garage) live(time.Time, *rand.Rand) []string { return nil }

func (*garage) wakes() time.Time { return time.Time{} }

func (g *garage) measure(t time.Time, rng *rand.Rand) map[string]float64 {
	g.burn()
	share := charging(t)
	return map[string]float64{
		"charging_a": max(0, g.peak*share*(1+0.08*rng.NormFloat64())),
		"temp_c":     g.temperature(t) + 3*share + g.heat + 0.2*rng.NormFloat64(),
		"smoke_pct":  max(0, 0.6+0.3*rng.NormFloat64()+g.smoke),
	}
}

func (g *garage) burn() {
	if g.burning {
		g.heat, g.smoke = min(heatMost, g.heat+heatStep), min(smokeMost, g.smoke+smokeStep)
		return
	}
	g.heat, g.smoke = g.heat/2, g.smoke/2
}

// temperature is that of a cellar: halfway between the air's and the ground's.
func (g *garage) temperature(t time.Time) float64 { return 9 + 0.5*outdoor(t) + g.warmth }

// charging is the share of the sockets in use: most from eight in the evening till midnight, few in the day.
func charging(t time.Time) float64 {
	away := math.Abs(math.Mod(hour(t)-22+36, 24) - 12) // hours from ten in the evening
	return 0.12 + 0.88*math.Exp(-away*away/14)
}
