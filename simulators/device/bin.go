package device

import (
	"math/rand/v2"
	"time"
)

// bin is all that a point has for one stream of waste.
type bin struct {
	stream string
	fill   float64 // per cent
	perBag float64 // per cent that one bag adds
	bags   float64 // of an ordinary day
	kg     float64 // of one per cent
	plan   plan
	phase  time.Duration // when in its round the truck comes here
	odd    bool          // with every second day: which

	pickup  time.Time // next
	emptied time.Time // last
	goal    float64   // where a held one fills up to
	held    bool      // taped up: neither bags nor trucks come, until somebody is told to
}

// plan is how a stream is collected.
type plan int

const (
	everyEvening   plan = iota // on hot days in the morning too
	everySecondDay             // early
	nextDay                    // after it was nearly full
	inTwoDays                  // after it was nearly full
)

// bookedAt is the fill at which somebody asks for the truck.
const bookedAt = 70

// newBin makes a bin that gets a share of its volume each day, in so many bags.
func newBin(stream string, p plan, shareLow, shareHigh, bags, kg float64, rng *rand.Rand) *bin {
	share := shareLow + (shareHigh-shareLow)*rng.Float64()
	return &bin{
		stream: stream, plan: p, bags: bags, perBag: 100 * share / bags, kg: kg * (0.8 + 0.4*rng.Float64()),
		phase: upTo(rng, time.Hour), odd: rng.IntN(2) == 1, fill: 20 * rng.Float64(),
	}
}

// sortingBins: food waste nearly fills its bins in a day, the others take longer.
func sortingBins(rng *rand.Rand) []*bin {
	return []*bin{
		newBin("wet", everyEvening, 0.55, 0.88, 150, 3.6, rng),
		newBin("dry", everySecondDay, 0.28, 0.44, 110, 1.8, rng),
		newBin("recyclable", nextDay, 0.08, 0.16, 18, 0.9, rng),
		newBin("hazardous", inTwoDays, 0.015, 0.035, 1.5, 0.3, rng),
	}
}

func recyclingBins(rng *rand.Rand) []*bin {
	return []*bin{newBin("recyclable", nextDay, 0.18, 0.34, 40, 4.5, rng)}
}

// add throws bags in and gives how many found no room. To one that is taped up nobody comes.
func (b *bin) add(bags int) (left int) {
	if b.held {
		return 0
	}
	for range bags {
		if b.fill+b.perBag > 100 {
			left++
			continue
		}
		b.fill += b.perBag
	}
	return left
}

// schedule decides when the truck comes next, as things stand at t.
func (b *bin) schedule(t time.Time) {
	switch today := midnight(t); b.plan {
	case everyEvening:
		b.pickup = b.round(t, today, 21*time.Hour)
		if morning := today.Add(9*time.Hour + 10*time.Minute + b.phase); hot(t) && morning.After(t) {
			b.pickup = morning
		}
	case everySecondDay:
		if b.pickup = b.round(t, today, 5*time.Hour); (b.pickup.In(shanghai()).YearDay()%2 == 1) != b.odd {
			b.pickup = b.pickup.Add(24 * time.Hour)
		}
	case nextDay:
		b.book(today, 34*time.Hour)
	case inTwoDays:
		b.book(today, 62*time.Hour)
	}
}

// round is the next time that the daily round of an hour comes by.
func (b *bin) round(t, today time.Time, hour time.Duration) time.Time {
	at := today.Add(hour + b.phase)
	if !at.After(t) {
		at = at.Add(24 * time.Hour)
	}
	return at
}

// book asks for the truck when it is time to.
func (b *bin) book(today time.Time, after time.Duration) {
	if b.pickup.IsZero() && b.fill >= bookedAt {
		b.pickup = today.Add(after + 3*b.phase)
	}
}

// goalStep is how much a held bin fills up between two reports: more at once would look like a faulty sensor.
const goalStep = 24

// approach fills a held bin up.
func (b *bin) approach() {
	if b.held {
		b.fill = min(max(b.fill, b.goal), b.fill+goalStep)
	}
}

// due reports whether the truck is there.
func (b *bin) due(t time.Time) bool { return !b.held && !b.pickup.IsZero() && !b.pickup.After(t) }

// empty takes out nearly all.
func (b *bin) empty(t time.Time, rng *rand.Rand) {
	b.fill = min(b.fill, 4*rng.Float64())
	b.emptied, b.held, b.pickup = t, false, time.Time{}
	b.schedule(t)
}
