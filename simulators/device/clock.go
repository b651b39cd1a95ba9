package device

import (
	"time"

	"watchhouse/telemetry"
)

// clock is the time that a body lives by: the wall's, or one that began at another moment and runs faster, so that who watches sees a day
// in minutes. Messages carry the wall's time all the same.
type clock struct {
	start, from time.Time
	pace        float64
}

// newClock makes that of a kind. Guards, buttons and gateways live by the wall's clock, as rules ask when they were last heard.
func newClock(kind telemetry.Kind, o Options) clock {
	c := clock{start: o.Start, from: o.Start, pace: 1}
	if !lively(kind) {
		return c
	}
	if !o.From.IsZero() {
		c.from = o.From
	}
	c.pace = max(1, o.Pace)
	return c
}

// at is the body's time at a moment of the wall's.
func (c clock) at(now time.Time) time.Time {
	return c.from.Add(time.Duration(float64(now.Sub(c.start)) * c.pace))
}

// wall is the first millisecond of the wall's clock at which the body's has reached t.
func (c clock) wall(t time.Time) time.Time {
	return c.start.Add(time.Duration(float64(t.Sub(c.from))/c.pace) + time.Millisecond)
}

// shanghai has had no daylight saving time since 1991; a fixed zone needs no zone files.
func shanghai() *time.Location { return time.FixedZone("Asia/Shanghai", int(ahead.Seconds())) }

// ahead is how far Shanghai is before Greenwich.
const ahead = 8 * time.Hour

// midnight is the beginning of the day in Shanghai.
func midnight(t time.Time) time.Time { return t.Add(ahead).Truncate(24 * time.Hour).Add(-ahead) }

// hour is the hour of the day in Shanghai with its fraction.
func hour(t time.Time) float64 { return t.Sub(midnight(t)).Hours() }
