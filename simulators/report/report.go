package report

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is one run of one or more measurements.
type Report struct {
	Title    string    `json:"title"`
	At       time.Time `json:"at"`
	Facts    []Fact    `json:"facts"` // machine, versions, commit
	Sections []Section `json:"sections"`
}

// Section is one measurement.
type Section struct {
	Name      string    `json:"name"`
	Note      string    `json:"note,omitempty"` // what the numbers do not show
	Facts     []Fact    `json:"facts,omitempty"`
	Latencies []Latency `json:"latencies,omitempty"`
	Series    []Series  `json:"series,omitempty"`
}

// Fact is one value with its name, e.g. {"ratio", "0.84"}.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Latency sums a histogram up. Times are in milliseconds.
type Latency struct {
	Name  string  `json:"name"`
	Count int64   `json:"count"`
	Min   float64 `json:"min_ms"`
	Mean  float64 `json:"mean_ms"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	Max   float64 `json:"max_ms"`
	Curve []Quant `json:"curve"`
}

// Quant is one point of the percentile curve.
type Quant struct {
	Percentile float64 `json:"percentile"`
	MS         float64 `json:"ms"`
}

// Series is a value over time, one each Step seconds.
type Series struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Step   float64   `json:"step_s"`
	Values []float64 `json:"values"`
}

// FromHistogram sums up a histogram of microseconds. The curve has more points towards the tail, and ends where there is no data beyond.
func FromHistogram(name string, h *hdrhistogram.Histogram) Latency {
	l := Latency{Name: name, Count: h.TotalCount()}
	if l.Count == 0 {
		return l
	}
	at := func(q float64) float64 { return ms(h.ValueAtQuantile(q)) }
	l.Min, l.Mean, l.Max = ms(h.Min()), h.Mean()/1000, ms(h.Max())
	l.P50, l.P90, l.P99, l.P999 = at(50), at(90), at(99), at(99.9)
	for rest := 100.0; rest >= 50/float64(l.Count) && rest > 0.0005; rest *= 0.8 {
		l.Curve = append(l.Curve, Quant{Percentile: 100 - rest, MS: at(100 - rest)})
	}
	l.Curve = append(l.Curve, Quant{Percentile: 100, MS: l.Max})
	return l
}

// FromCounts makes a series of one value a second.
func FromCounts(name, unit string, counts []int64) Series {
	s := Series{Name: name, Unit: unit, Step: 1}
	for _, n := range counts {
		s.Values = append(s.Values, float64(n))
	}
	return s
}

func ms(us int64) float64 { return float64(us) / 1000 }
