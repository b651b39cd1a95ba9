package window

import (
	"bytes"
	"encoding/gob"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

const minute = int64(60_000)

// drawSamples are readings in time order, whole numbers so that a bucket holds them exactly.
func drawSamples(rt *rapid.T) []Sample {
	gaps := rapid.SliceOfN(rapid.Int64Range(1, 40*minute), 1, 120).Draw(rt, "gaps")
	list, at := []Sample{}, int64(1_763_888_888_000)
	for _, gap := range gaps {
		at += gap
		list = append(list, Sample{at, float64(rapid.IntRange(-20, 260).Draw(rt, "v"))})
	}
	return list
}

func seriesOf(list []Sample, n Need) Series {
	s := NewSeries(n)
	for _, x := range list {
		s.Add(x.At, x.V, n.Readings)
	}
	return s
}

// lastOf is the naive memory.
func lastOf(list []Sample, n int) []float64 {
	values := []float64{}
	for _, x := range list[max(len(list)-n, 0):] {
		values = append(values, x.V)
	}
	slices.Sort(values)
	return values
}

// TestReadingsAgainstNaive: median, m of n and the jump are those of the plain list.
func TestReadingsAgainstNaive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := drawSamples(rt)
		n := rapid.IntRange(1, 9).Draw(rt, "n")
		s := seriesOf(list, Need{Readings: 9})
		sorted := lastOf(list, n)
		if len(list) < n {
			if !math.IsNaN(s.Median(n)) || !math.IsNaN(s.Highest(1, n)) {
				rt.Fatal("known without enough readings")
			}
			return
		}
		want := sorted[n/2]
		if n%2 == 0 {
			want = (sorted[n/2-1] + sorted[n/2]) / 2
		}
		if got := s.Median(n); got != want {
			rt.Fatalf("median of %v: %v, want %v", sorted, got, want)
		}
		m := rapid.IntRange(1, n).Draw(rt, "m")
		limit := s.Highest(m, n)
		atLeast := 0
		for _, v := range sorted {
			if v >= limit {
				atLeast++
			}
		}
		if atLeast < m || limit != sorted[n-m] || s.Lowest(m, n) != sorted[m-1] {
			rt.Fatalf("%d of %v: %v and %v", m, sorted, limit, s.Lowest(m, n))
		}
		wantJump := 0.0
		if k := len(list); k > 1 && list[k-1].At-list[k-2].At <= 10*minute {
			wantJump = list[k-1].V - list[k-2].V
		}
		if got := s.Jump(10 * time.Minute); got != wantJump {
			rt.Fatalf("jump %v, want %v", got, wantJump)
		}
	})
}

// naiveHigh is the highest reading of the width before the last, with the one that was valid at its beginning.
func naiveHigh(list []Sample, width int64) float64 {
	end := list[len(list)-1].At
	high, entry := math.Inf(-1), math.Inf(-1)
	for _, x := range list {
		if x.At <= end-width {
			entry = x.V
			continue
		}
		high = max(high, x.V)
	}
	return max(high, entry)
}

// TestDropAgainstNaive: a drop is that of the plain list over the width, or over little more.
func TestDropAgainstNaive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := drawSamples(rt)
		width := rapid.SampledFrom([]int64{minute, 30 * minute, 24 * 60 * minute}).Draw(rt, "width")
		s := seriesOf(list, Need{Readings: 1, Spans: []SpanNeed{{time.Duration(width) * time.Millisecond, Coarse}}})
		got, last := s.Spans[0].Drop(), list[len(list)-1].V
		low, bucket := naiveHigh(list, width)-last, width/Coarse
		high, cut := low, int64(0) // a bucket more at the beginning, and the bucket of the reading that was valid there
		for _, x := range list {
			if x.At <= list[len(list)-1].At-width-bucket {
				cut = x.At - bucket
			}
		}
		for _, x := range list {
			if x.At >= cut {
				high = max(high, x.V-last)
			}
		}
		if got < low || got > high {
			rt.Fatalf("drop %v, want %v to %v", got, low, high)
		}
		if n := len(s.Spans[0].Buckets); n > Coarse+2 {
			rt.Fatalf("%d buckets", n)
		}
	})
}

func hourly(values ...float64) []Sample {
	list := []Sample{}
	for i, v := range values {
		list = append(list, Sample{int64(i+1) * 60 * minute, v})
	}
	return list
}

func every(step time.Duration, values ...float64) []Sample {
	list := []Sample{}
	for i, v := range values {
		list = append(list, Sample{int64(i+1) * step.Milliseconds(), v})
	}
	return list
}

// TestSpans hold what the functions mean for devices that report often and rarely.
func TestSpans(t *testing.T) {
	span := func(width time.Duration, list []Sample) (*Span, Sample) {
		s := seriesOf(list, Need{Readings: 3, Spans: []SpanNeed{{width, Coarse}}})
		last, _ := s.Last()
		return &s.Spans[0], last
	}
	t.Run("a drop between two hourly readings", func(t *testing.T) {
		if s, _ := span(30*time.Minute, hourly(20, 90, 10)); s.Drop() != 80 {
			t.Errorf("%v", s.Drop())
		}
	})
	t.Run("a drop long ago is none", func(t *testing.T) {
		if s, _ := span(30*time.Minute, hourly(90, 10, 12)); s.Drop() != 0 {
			t.Errorf("%v", s.Drop())
		}
	})
	t.Run("a rate in a minute of readings every ten seconds", func(t *testing.T) {
		if s, last := span(time.Minute, every(10*time.Second, 20, 20, 22, 24, 26, 28, 30, 32)); math.Abs(s.Rate(last)-12) > 0.1 {
			t.Errorf("%v", s.Rate(last))
		}
	})
	t.Run("a rate between two readings five minutes apart", func(t *testing.T) {
		if s, last := span(time.Minute, every(5*time.Minute, 20, 70)); s.Rate(last) != 10 {
			t.Errorf("%v", s.Rate(last))
		}
	})
	t.Run("two readings a second apart are no rate", func(t *testing.T) {
		if s, last := span(time.Minute, every(time.Second, 20, 30)); !math.IsNaN(s.Rate(last)) {
			t.Errorf("%v", s.Rate(last))
		}
	})
	t.Run("a spread is known once the span is covered", func(t *testing.T) {
		if s, _ := span(3*time.Hour, hourly(7, 7, 7)); !math.IsNaN(s.Spread()) {
			t.Errorf("%v", s.Spread())
		}
		if s, _ := span(3*time.Hour, hourly(7, 7, 7, 8)); s.Spread() != 1 {
			t.Errorf("%v", s.Spread())
		}
	})
	t.Run("a quantile", func(t *testing.T) {
		s := seriesOf(hourly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20), Need{Spans: []SpanNeed{{32 * time.Hour, Fine}}})
		if q := s.Spans[0].Quantile(0.95); q != 20 {
			t.Errorf("p95 %v", q)
		}
		if q := s.Spans[0].Quantile(0.5); q != 11 {
			t.Errorf("p50 %v", q)
		}
	})
	t.Run("nothing is known of nothing", func(t *testing.T) {
		s := NewSeries(Need{Spans: []SpanNeed{{time.Hour, Coarse}}, Tank: true})
		for name, v := range map[string]float64{
			"median": s.Median(1), "jump": s.Jump(time.Hour), "drop": s.Spans[0].Drop(), "spread": s.Spans[0].Spread(),
			"rate": s.Spans[0].Rate(Sample{}), "quantile": s.Spans[0].Quantile(0.5), "fill rate": s.FillRate(), "full at": s.FullAt(95),
			"median of none": Median(nil),
		} {
			if !math.IsNaN(v) {
				t.Errorf("%s: %v", name, v)
			}
		}
	})
}

// TestTank: a bin that fills by 5 % an hour, is emptied, and has a sensor that fails for one reading.
func TestTank(t *testing.T) {
	s := seriesOf(hourly(50, 55, 60, 255, 65, 5, 10, 15, -200, 20), Need{Readings: 3, Tank: true})
	if s.Tank.Emptied != 6*60*minute || s.FillRate() != 15.0/4 {
		t.Errorf("emptied at %d, %v an hour", s.Tank.Emptied, s.FillRate())
	}
	if got, want := s.FullAt(95), float64(10*60*minute)+75/(15.0/4)*float64(60*minute); got != want {
		t.Errorf("full at %v, want %v", got, want)
	}
	fast := seriesOf(every(10*time.Minute, 90, 70, 50, 30, 10, 11, 12, 13, 14, 15, 16, 17), Need{Readings: 3, Tank: true})
	if fast.Tank.Base != (Sample{50 * minute, 10}) || fast.Tank.Emptied != 30*minute {
		t.Errorf("emptied slowly: %+v", fast.Tank)
	}
	idle := seriesOf(hourly(5, 5, 5), Need{Readings: 1, Tank: true})
	if !math.IsInf(idle.FullAt(95), 1) {
		t.Errorf("a bin nobody fills is full at %v", idle.FullAt(95))
	}
	full := seriesOf(hourly(5, 50, 96), Need{Readings: 1, Tank: true})
	if full.FullAt(95) != float64(3*60*minute) {
		t.Errorf("a full bin is full at %v", full.FullAt(95))
	}
}

// TestReadAgain: a lane that is read twice, and a snapshot between, leave the same memory; memory is bounded.
func TestReadAgain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := drawSamples(rt)
		need := Need{Readings: 4, Spans: []SpanNeed{{30 * time.Minute, Coarse}, {24 * time.Hour, Fine}}, Tank: true}
		once := seriesOf(list, need)
		cut := rapid.IntRange(0, len(list)).Draw(rt, "cut")
		back := rapid.IntRange(0, cut).Draw(rt, "back")
		half := seriesOf(list[:cut], need)
		var saved bytes.Buffer
		var again Series
		if err := errors.Join(gob.NewEncoder(&saved).Encode(half), gob.NewDecoder(&saved).Decode(&again)); err != nil {
			rt.Fatal(err)
		}
		again.Fit(need)
		for _, x := range list[back:] {
			again.Add(x.At, x.V, need.Readings)
		}
		if diff := cmp.Diff(once, again, cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("once and again differ:\n%s", diff)
		}
	})
}

// TestFit: spans that no rule asks for any more go, new ones begin empty.
func TestFit(t *testing.T) {
	s := seriesOf(hourly(1, 2, 3), Need{Readings: 3, Spans: []SpanNeed{{time.Hour, Coarse}, {2 * time.Hour, Coarse}}, Tank: true})
	s.Fit(Need{Readings: 1, Spans: []SpanNeed{{3 * time.Hour, Coarse}, {2 * time.Hour, Coarse}}})
	if len(s.Spans) != 2 || len(s.Spans[0].Buckets) != 0 || len(s.Spans[1].Buckets) != 3 || s.Tank != nil {
		t.Errorf("%+v", s)
	}
}

func TestEvents(t *testing.T) {
	var e Events
	for i := range 40 {
		e.Add(int64(i)*minute, "")
	}
	if n := e.Count(0, 100*minute); n != keptEvents {
		t.Errorf("%d counted", n)
	}
	if n := e.Count(29*minute, 35*minute); n != 6 {
		t.Errorf("%d in six minutes", n)
	}
	e.Add(38*minute+1, "b1|1")
	e.Add(39*minute+1, "b1|1")
	if n := e.Count(38*minute, 100*minute); n != 2 {
		t.Errorf("%d with a late one and its redelivery", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	s := NewSeries(Need{Readings: 3, Spans: []SpanNeed{{30 * time.Minute, Coarse}, {24 * time.Hour, Coarse}}, Tank: true})
	b.ReportAllocs()
	at := int64(0)
	for b.Loop() {
		at += minute
		s.Add(at, float64(at%97), 3)
	}
}
