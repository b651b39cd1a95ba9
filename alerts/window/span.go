package window

import (
	"math"
	"slices"
	"time"
)

// Span is what a metric did in a stretch of time that ends at its last reading.
type Span struct {
	Width   int64 // ms
	Count   int   // of buckets at most, but for one that holds what was valid at the beginning
	Buckets []Bucket
}

// Bucket holds the readings of a part of a span, oldest first.
type Bucket struct {
	At   int64   // of the first reading
	V    float32 // the first reading
	Low  float32
	High float32
	End  float32 // the last reading
	Pick float32 // any one of them, for quantiles
	N    int32   // how many there are
}

func (s *Span) add(at int64, v float64) {
	x := float32(max(min(v, math.MaxFloat32), -math.MaxFloat32)) // a snapshot cannot hold an infinite one
	if n := len(s.Buckets); n > 0 && at-s.Buckets[n-1].At < s.Width/int64(s.Count) {
		b := &s.Buckets[n-1]
		b.Low, b.High, b.End, b.N = min(b.Low, x), max(b.High, x), x, b.N+1
		if scatter(at)%uint64(b.N) == 0 {
			b.Pick = x
		}
		return
	}
	gone := 0
	for gone+1 < len(s.Buckets) && s.Buckets[gone+1].At <= at-s.Width {
		gone++
	}
	if gone > 0 {
		s.Buckets = slices.Delete(s.Buckets, 0, gone)
	}
	s.Buckets = append(s.Buckets, Bucket{At: at, V: x, Low: x, High: x, End: x, Pick: x, N: 1})
}

// scatter makes a choice that depends on the time alone, so that it is the same when a lane is read again, and follows no
// rhythm that a device may have.
func scatter(at int64) uint64 {
	z := uint64(at) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	return z ^ z>>31
}

// last is the newest reading.
func (s *Span) last() float64 { return float64(s.Buckets[len(s.Buckets)-1].End) }

// covers reports whether the span has a reading from its very beginning.
func (s *Span) covers() bool {
	n := len(s.Buckets)
	return n > 1 && s.Buckets[0].At <= s.Buckets[n-1].At-s.Width+s.Width/int64(s.Count)
}

// Drop is how far the last reading is below the highest of the span, never negative.
func (s *Span) Drop() float64 {
	if len(s.Buckets) == 0 {
		return math.NaN()
	}
	return s.high() - s.last()
}

func (s *Span) high() float64 {
	high := s.Buckets[0].High
	for _, b := range s.Buckets[1:] {
		high = max(high, b.High)
	}
	return float64(high)
}

// Spread is how far the highest and the lowest reading lie apart. It is known once readings reach back to the beginning.
func (s *Span) Spread() float64 {
	if !s.covers() {
		return math.NaN()
	}
	low := s.Buckets[0].Low
	for _, b := range s.Buckets[1:] {
		low = min(low, b.Low)
	}
	return s.high() - float64(low)
}

// Rate is the change per minute since the beginning of the span, or since the last reading before it.
func (s *Span) Rate(last Sample) float64 {
	if !s.covers() || last.At <= s.Buckets[0].At {
		return math.NaN()
	}
	minutes := float64(last.At-s.Buckets[0].At) / float64(time.Minute.Milliseconds())
	return (last.V - float64(s.Buckets[0].V)) / minutes
}

// Quantile of the span, from one reading out of each bucket. It is known once a quarter of the buckets is filled.
func (s *Span) Quantile(q float64) float64 {
	n := len(s.Buckets)
	if n < s.Count/4 || n == 0 {
		return math.NaN()
	}
	values := make([]float64, n)
	for i, b := range s.Buckets {
		values[i] = float64(b.Pick)
	}
	slices.Sort(values)
	return values[min(int(q*float64(n)), n-1)]
}
