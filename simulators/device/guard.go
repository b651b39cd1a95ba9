package device

import (
	"math/rand/v2"
	"time"

	"watchhouse/telemetry"
)

// guard is the man or woman in a safety house: three shifts a day, signing out and in at their change, a presence answer every hour and
// at night every half hour, and a patrol scan now and then. Other kinds have none.
type guard struct {
	on       bool
	phase    time.Duration // so that not all houses answer at once
	shift    time.Time     // next change
	presence time.Time
	patrol   time.Time
}

func newGuard(spec Spec, start time.Time, rng *rand.Rand) guard {
	if spec.Kind != telemetry.SafetyHouse {
		return guard{}
	}
	g := guard{on: true, phase: upTo(rng, 4*time.Minute)}
	g.shift = nextShift(start).Add(g.phase)
	g.presence = start.Add(upTo(rng, time.Hour))
	g.patrol = start.Add(upTo(rng, 2*time.Hour))
	return g
}

// nextShift is the next 07:00, 15:00 or 23:00 in Shanghai after t.
func nextShift(t time.Time) time.Time {
	local := t.In(shanghai())
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, shanghai())
	for _, hour := range []int{7, 15, 23} {
		if at := day.Add(time.Duration(hour) * time.Hour); at.After(t) {
			return at
		}
	}
	return day.Add(31 * time.Hour)
}

// sooner is the earlier of due and the guard's next act.
func (g *guard) sooner(due time.Time) time.Time {
	if !g.on {
		return due
	}
	for _, t := range []time.Time{g.shift, g.presence, g.patrol} {
		if t.Before(due) {
			due = t
		}
	}
	return due
}

// tick gives the types of the events that are due.
func (g *guard) tick(now time.Time, rng *rand.Rand) []string {
	if !g.on {
		return nil
	}
	var out []string
	if !now.Before(g.shift) {
		out = append(out, "check_out", "check_in")
		g.shift = nextShift(now).Add(g.phase)
	}
	if !now.Before(g.presence) {
		out = append(out, "presence")
		g.presence = now.Add(presenceEvery(now) - upTo(rng, 5*time.Minute))
	}
	if !now.Before(g.patrol) {
		out = append(out, "patrol_scan")
		g.patrol = now.Add(2*time.Hour - upTo(rng, 20*time.Minute))
	}
	return out
}

func presenceEvery(now time.Time) time.Duration {
	if hour := now.In(shanghai()).Hour(); hour >= 22 || hour < 6 {
		return 30 * time.Minute
	}
	return time.Hour
}
