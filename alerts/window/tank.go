package window

import (
	"math"
	"time"
)

// What counts as emptied: a level that falls by this much within this time.
const (
	emptiedBy     = 30
	emptiedWithin = 30 * time.Minute
)

// A level is in percent; what lies further outside than this is a fault of the sensor and says nothing of the level.
const levelSlack = 5

// Tank follows the level of something that fills and is emptied, in percent.
type Tank struct {
	Emptied int64  // Unix ms, 0 = not seen yet
	Base    Sample // the lowest reading since, or the first one ever
	Fall    Span
}

func (t *Tank) add(at int64, v float64) {
	if v < -levelSlack || v > 100+levelSlack {
		return
	}
	t.Fall.add(at, v)
	within := t.Emptied > 0 && at-t.Emptied <= emptiedWithin.Milliseconds()
	switch {
	case !within && t.Fall.Drop() >= emptiedBy:
		t.Emptied, t.Base = at, Sample{at, v}
	case t.Base.At == 0, within && v < t.Base.V:
		t.Base = Sample{at, v}
	}
}

// shortest is how long a level must have been watched before its rate is believed.
const shortest = 30 * time.Minute

// FillRate is how fast the level has risen since it was emptied, per hour.
func (s *Series) FillRate() float64 {
	last, ok := s.Last()
	if s.Tank == nil || !ok || last.At-s.Tank.Base.At < shortest.Milliseconds() {
		return math.NaN()
	}
	return (last.V - s.Tank.Base.V) / hours(last.At-s.Tank.Base.At)
}

// FullAt is when the level will be reached at the rate so far, Unix ms as a float; infinite when it does not rise.
func (s *Series) FullAt(level float64) float64 {
	last, _ := s.Last()
	switch rate := s.FillRate(); {
	case math.IsNaN(rate):
		return rate
	case last.V >= level:
		return float64(last.At)
	case rate <= 0:
		return math.Inf(1)
	default:
		return float64(last.At) + (level-last.V)/rate*float64(time.Hour.Milliseconds())
	}
}

func hours(ms int64) float64 { return float64(ms) / float64(time.Hour.Milliseconds()) }
