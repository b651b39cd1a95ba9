package device

import (
	"math"
	"math/rand/v2"
	"time"
)

// point is the life of a sorting point or a recyclables point: people bring bags by the hour of the day, trucks empty the bins by plan.
type point struct {
	bins   []*bin
	visits func(t time.Time) float64 // share of a day's bags that come in an hour at t
	busy   float64                   // today's share of an ordinary day
	warmth float64                   // °C that the sun and the asphalt add
	lived  time.Time
	lies   time.Time // until when a bag lies on the ground
	ground time.Time // when that was told last
}

const (
	// pointStep is the longest time over which visits are taken as even.
	pointStep = 5 * time.Minute
	// runUp is how long a point lives before it is first asked, so that it begins as on any other day.
	runUp = 72 * time.Hour
	// groundEvery is how often a camera tells that a bag still lies there, groundLong the longest that one does.
	groundEvery = 10 * time.Minute
	groundLong  = 40 * time.Minute
	// careless is how many bags a day are left on the ground with room in the bins.
	careless = 0.02
)

func newPoint(bins []*bin, visits func(time.Time) float64, now time.Time, rng *rand.Rand) *point {
	p := &point{bins: bins, visits: visits, busy: 1, warmth: 3 * rng.Float64(), lived: now.Add(-runUp)}
	for _, b := range bins {
		b.emptied = p.lived
		b.schedule(p.lived)
	}
	p.live(now, rng)
	return p
}

// windows is the visits of a sorting point: the morning's, the evening's with its rain of bags from 18 to 20 h, and the few who come at
// other times.
func windows(t time.Time) float64 {
	switch h := hour(t); {
	case h >= 6.5 && h < 9:
		return 0.14
	case h >= 18 && h < 20:
		return 0.25
	case h >= 20 && h < 20.5:
		return 0.16
	case h >= 9 && h < 23:
		return 0.006
	}
	return 0
}

// daytime is the visits of a recyclables point, which closes at noon.
func daytime(t time.Time) float64 {
	if h := hour(t); h >= 8.5 && h < 11.5 || h >= 13 && h < 17.5 {
		return 1 / 7.5
	}
	return 0
}

// live passes the time in small steps, as visits change with the hour and a truck may come in between.
func (p *point) live(t time.Time, rng *rand.Rand) []string {
	var out []string
	for _, b := range p.bins {
		b.approach()
	}
	for p.lived.Before(t) {
		next := p.lived.Add(pointStep)
		if next.After(t) {
			next = t
		}
		out = append(out, p.step(next, rng)...)
	}
	return folded(out)
}

// folded keeps the first of each type: a sensor tells once that the lid was opened, not for each bag.
func folded(events []string) []string {
	var out []string
	told := map[string]bool{}
	for _, typ := range events {
		if !told[typ] {
			out = append(out, typ)
		}
		told[typ] = true
	}
	return out
}

func (p *point) step(t time.Time, rng *rand.Rand) []string {
	var out []string
	if midnight(t).After(p.lived) {
		p.busy = 0.85 + 0.3*rng.Float64()
	}
	share := p.visits(p.lived) * p.busy * t.Sub(p.lived).Hours()
	visited, left := 0, 0
	for _, b := range p.bins {
		n := poisson(b.bags*share, rng)
		visited += n
		left += b.add(n)
	}
	if visited > 0 {
		out = append(out, "opened")
	}
	if left > 0 || poisson(careless*share, rng) > 0 {
		p.lies = t.Add(upTo(rng, groundLong))
	}
	if !p.lies.Before(t) && t.Sub(p.ground) >= groundEvery {
		p.ground = t
		out = append(out, "bag_on_ground")
	}
	p.lived = t
	return append(out, p.collect(t, rng)...)
}

// collect empties what the truck has come for.
func (p *point) collect(t time.Time, rng *rand.Rand) []string {
	var out []string
	for _, b := range p.bins {
		if b.due(t) {
			b.empty(t, rng)
			out = append(out, "emptied")
		}
		b.schedule(t)
	}
	return out
}

// wakes is when the next truck comes.
func (p *point) wakes() time.Time {
	var next time.Time
	for _, b := range p.bins {
		if at := b.pickup; !at.IsZero() && !b.held && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

func (p *point) measure(t time.Time, rng *rand.Rand) map[string]float64 {
	m := map[string]float64{"temp_c": p.temperature(t) + 0.3*rng.NormFloat64()}
	for _, b := range p.bins {
		m["fill_"+b.stream+"_pct"] = min(100, max(0, b.fill+0.3*rng.NormFloat64()))
		m["weight_"+b.stream+"_kg"] = max(0, b.kg*b.fill+0.2*rng.NormFloat64())
		if b.stream == "wet" {
			m["nh3_ppm"] = max(0, p.ammonia(b, t)+0.1*rng.NormFloat64())
		}
	}
	return m
}

// temperature inside the bins: the sun heats them by day, in summer the most.
func (p *point) temperature(t time.Time) float64 {
	air := outdoor(t)
	return air + p.warmth + max(0, daily(t))*max(0, air-15)/4
}

// ammonia rises with the amount of food waste, its age and its warmth: it doubles every ten degrees.
func (p *point) ammonia(b *bin, t time.Time) float64 {
	age := min(3, t.Sub(b.emptied).Hours()/24)
	return 0.4 + 4*b.fill/100*(0.4+age)*math.Exp2((p.temperature(t)-20)/10)
}

// poisson draws how many visits there are where so many are usual (Knuth's way, for small numbers).
func poisson(mean float64, rng *rand.Rand) int {
	limit, n := math.Exp(-mean), 0
	for left := rng.Float64(); left > limit; left *= rng.Float64() {
		n++
	}
	return n
}
