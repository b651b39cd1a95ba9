package window

import (
	"math"
	"slices"
	"time"
)

// Sample is a reading of a metric. At is Unix ms.
type Sample struct {
	At int64
	V  float64
}

// Need is what the rules ask of a metric.
type Need struct {
	Readings int        // how many of the last ones are kept, at least one
	Spans    []SpanNeed // in the order by which they are asked for
	Tank     bool       // it is the level of something that is emptied
}

// SpanNeed is a stretch of time before the last reading.
type SpanNeed struct {
	Width   time.Duration
	Buckets int // its resolution
}

// Resolutions of a span.
const (
	Coarse = 16
	Fine   = 32 // for quantiles
)

// Series is the recent past of one metric. Its own fields are what a snapshot holds.
type Series struct {
	Recent []Sample // oldest first
	Spans  []Span
	Tank   *Tank
}

// NewSeries makes an empty one.
func NewSeries(n Need) Series {
	var s Series
	s.Fit(n)
	return s
}

// Fit changes what is kept to what is needed now: after a change of the rules, spans that no rule asks for go, and new ones
// begin empty.
func (s *Series) Fit(n Need) {
	spans := make([]Span, len(n.Spans))
	for i, need := range n.Spans {
		spans[i] = Span{Width: need.Width.Milliseconds(), Count: need.Buckets}
		for _, old := range s.Spans {
			if old.Width == spans[i].Width && old.Count == spans[i].Count {
				spans[i] = old
			}
		}
	}
	s.Spans = spans
	switch {
	case !n.Tank:
		s.Tank = nil
	case s.Tank == nil:
		s.Tank = &Tank{Fall: Span{Width: emptiedWithin.Milliseconds(), Count: Coarse}}
	}
}

// Clone copies the series with what it holds.
func (s *Series) Clone() Series {
	c := Series{Recent: slices.Clone(s.Recent), Spans: slices.Clone(s.Spans)}
	for i := range c.Spans {
		c.Spans[i].Buckets = slices.Clone(c.Spans[i].Buckets)
	}
	if s.Tank != nil {
		t := *s.Tank
		t.Fall.Buckets = slices.Clone(t.Fall.Buckets)
		c.Tank = &t
	}
	return c
}

// Add takes a reading and keeps the last keep of them. It reports whether the reading was newer than the last.
func (s *Series) Add(at int64, v float64, keep int) bool {
	if n := len(s.Recent); n > 0 && at <= s.Recent[n-1].At || math.IsNaN(v) {
		return false
	}
	s.Recent = append(s.Recent, Sample{at, v})
	if over := len(s.Recent) - max(keep, 1); over > 0 {
		s.Recent = slices.Delete(s.Recent, 0, over)
	}
	for i := range s.Spans {
		s.Spans[i].add(at, v)
	}
	if s.Tank != nil {
		s.Tank.add(at, v)
	}
	return true
}

// Last is the newest reading.
func (s *Series) Last() (Sample, bool) {
	if len(s.Recent) == 0 {
		return Sample{}, false
	}
	return s.Recent[len(s.Recent)-1], true
}

// Highest is the m-th highest of the last n readings: at least m of them are no lower. Of fewer than n readings nothing is known.
func (s *Series) Highest(m, n int) float64 {
	sorted := s.sorted(n)
	if sorted == nil || m < 1 || m > n {
		return math.NaN()
	}
	return sorted[n-m]
}

// Lowest is the m-th lowest of the last n readings.
func (s *Series) Lowest(m, n int) float64 { return s.Highest(n-m+1, n) }

// Median of the last n readings; of an even number, the mean of the two in the middle.
func (s *Series) Median(n int) float64 { return median(s.sorted(n)) }

func (s *Series) sorted(n int) []float64 {
	if n < 1 || len(s.Recent) < n {
		return nil
	}
	list := make([]float64, 0, 8)
	for _, x := range s.Recent[len(s.Recent)-n:] {
		list = append(list, x.V)
	}
	slices.Sort(list)
	return list
}

// Jump is the change from the reading before, 0 when that one is older than within.
func (s *Series) Jump(within time.Duration) float64 {
	n := len(s.Recent)
	switch {
	case n == 0:
		return math.NaN()
	case n == 1 || s.Recent[n-1].At-s.Recent[n-2].At > within.Milliseconds():
		return 0
	}
	return s.Recent[n-1].V - s.Recent[n-2].V
}

// Median of values; it sorts them. NaN of none.
func Median(values []float64) float64 {
	slices.Sort(values)
	return median(values)
}

func median(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
