package device

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// body is the physical side of a device: what every kind has, and the life of its own kind.
type body struct {
	powered bool    // on mains
	battery float64 // per cent
	drain   float64 // per cent for a heartbeat
	radio   float64 // usual signal, dBm
	frozen  map[string]float64
	drift   float64
	clock   clock
	life    life
}

// batteryLife is how long a battery lasts at the report interval.
const batteryLife = 5 * 365 * 24 * time.Hour

func newBody(spec Spec, o Options, rng *rand.Rand) body {
	b := body{
		powered: spec.Power != "battery", battery: 100, drain: 100 * float64(spec.Interval) / float64(batteryLife),
		radio: -62 - 45*rng.Float64(), clock: newClock(spec.Kind, o),
	}
	if !b.powered {
		b.battery = 35 + 65*rng.Float64()
	}
	b.life = newLife(spec.Kind, b.clock.at(o.Start), rng)
	return b
}

// age uses the battery up by one heartbeat. With the drain fault it is empty after a handful.
func (b *body) age(f Faults) {
	if !b.powered || f.Drain {
		b.battery -= b.drain
	}
	if f.Drain {
		b.battery -= 0.4
	}
	b.battery = max(0, b.battery)
	if !f.Stuck {
		b.frozen = nil
	} else if b.frozen == nil {
		b.frozen = map[string]float64{}
	}
	if f.Drift != 0 {
		b.drift += f.Drift
	} else {
		b.drift = 0
	}
}

func (b *body) dead() bool { return b.battery <= 0 }

// wakes is when the body's life wants to be asked, by the wall's clock; far away when it does not.
func (b *body) wakes() time.Time {
	if at := b.life.wakes(); !at.IsZero() {
		return b.clock.wall(at)
	}
	return b.clock.start.Add(1 << 60)
}

// live lets the time pass and gives the events in it. Lids and cameras say nothing in a fast life: the hub measures by the wall's clock
// whether the place is open and how long a bag lies there.
func (b *body) live(now time.Time, rng *rand.Rand) []string {
	events := b.life.live(b.clock.at(now), rng)
	if b.clock.pace > 1 {
		events = slices.DeleteFunc(events, func(typ string) bool { return typ == "opened" || typ == "bag_on_ground" })
	}
	return events
}

// metrics are what a heartbeat reports; a stuck device repeats the first values for ever.
func (b *body) metrics(now time.Time, rng *rand.Rand) map[string]float64 {
	if len(b.frozen) > 0 {
		return b.frozen
	}
	m := b.life.measure(b.clock.at(now), rng)
	for name, v := range m {
		m[name] = round1(v + b.off(name))
	}
	m["battery_pct"] = math.Round(b.battery)
	m["rssi_dbm"] = math.Round(b.radio + 3*rng.NormFloat64())
	if b.powered {
		m["mains"] = 1
	} else {
		m["battery_v"] = math.Round((2.4+1.2*b.battery/100)*100) / 100
	}
	if b.frozen != nil {
		b.frozen = m
	}
	return m
}

// off is how far a drifting sensor is off: that of the fill where there is one, else the thermometer.
func (b *body) off(metric string) float64 {
	_, fills := b.life.(*point)
	if fills && strings.HasPrefix(metric, "fill_") || !fills && metric == "temp_c" {
		return b.drift
	}
	return 0
}

func round1(x float64) float64 { return math.Round(x*10) / 10 }
