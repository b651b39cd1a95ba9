package alerts

import (
	"cmp"
	"math"
	"time"

	"watchhouse/alerts/window"
)

// frame is what the functions of an expression read: one device at one time. Each notes when something was missing.
type frame struct {
	watch   *watch
	device  *watched
	part    *part
	maxAge  int64 // ms
	missing bool
}

func (f *frame) begin(p *part) {
	f.part, f.missing = p, false
	f.maxAge = p.maxAge(f.device.reg.Interval()).Milliseconds()
}

// series gives the readings of a metric, nil when there are none or the last one is too old.
func (f *frame) series(slot int) *window.Series {
	s := f.device.series[slot]
	if s != nil {
		if last, ok := s.Last(); ok && f.device.clock-last.At <= f.maxAge {
			return s
		}
	}
	f.missing = true
	return nil
}

// known passes a number on and notes when it is none.
func (f *frame) known(v float64) float64 {
	f.missing = f.missing || math.IsNaN(v)
	return v
}

// of computes from the readings of a metric.
func (f *frame) of(slot int, compute func(*window.Series) float64) float64 {
	s := f.series(slot)
	if s == nil {
		return math.NaN()
	}
	return f.known(compute(s))
}

func (f *frame) last(slot int) float64 { return f.median(slot, 1) }

func (f *frame) median(slot, n int) float64 {
	return f.of(slot, func(s *window.Series) float64 { return s.Median(n) })
}

func (f *frame) highest(slot, m, n int) float64 {
	return f.of(slot, func(s *window.Series) float64 { return s.Highest(m, n) })
}

func (f *frame) lowest(slot, m, n int) float64 {
	return f.of(slot, func(s *window.Series) float64 { return s.Lowest(m, n) })
}

func (f *frame) jump(slot, ms int) float64 {
	return f.of(slot, func(s *window.Series) float64 { return s.Jump(time.Duration(ms) * time.Millisecond) })
}

func (f *frame) drop(slot, span int) float64 {
	return f.of(slot, func(s *window.Series) float64 { return s.Spans[span].Drop() })
}

func (f *frame) spread(slot, span int) float64 {
	return f.of(slot, func(s *window.Series) float64 { return s.Spans[span].Spread() })
}

func (f *frame) rate(slot, span int) float64 {
	return f.of(slot, func(s *window.Series) float64 {
		last, _ := s.Last()
		return s.Spans[span].Rate(last)
	})
}

func (f *frame) quantile(slot int, q float64, span int) float64 {
	return f.of(slot, func(s *window.Series) float64 { return s.Spans[span].Quantile(q) })
}

// age is how many hours ago the last reading was, or the device was first heard when there is none.
func (f *frame) age(slot int) float64 {
	since := f.device.first
	if s := f.device.series[slot]; s != nil {
		if last, ok := s.Last(); ok {
			since = last.At
		}
	}
	return f.hoursSince(since)
}

func (f *frame) hoursSince(ms int64) float64 {
	if ms == 0 {
		f.missing = true
		return math.NaN()
	}
	return max(float64(f.device.clock-ms)/float64(time.Hour.Milliseconds()), 0)
}

// count is how many events of a type came in the last while.
func (f *frame) count(slot, ms int) int {
	e := f.device.events[slot]
	if e == nil {
		return 0
	}
	return e.Count(f.device.clock-int64(ms), f.device.clock)
}

// outside is how many of them came while the place was closed.
func (f *frame) outside(slot, ms int) int {
	e, n := f.device.events[slot], 0
	if e == nil {
		return 0
	}
	for _, at := range e.Times {
		if f.device.clock-int64(ms) < at && at <= f.device.clock && !f.device.place.Open(time.UnixMilli(at)) {
			n++
		}
	}
	return n
}

// sinceEmptied is how many hours ago a level fell, or since it was first measured. Where it is not measured, the device's own
// event counts; else it does not, for it does not say which bin was meant.
func (f *frame) sinceEmptied(slot int) float64 {
	if f.device.series[slot] == nil {
		return f.hoursSince(f.device.emptied)
	}
	return f.of(slot, func(s *window.Series) float64 {
		return f.hoursSince(cmp.Or(s.Tank.Emptied, f.device.first))
	})
}

// eta is in how many hours a level will be reached at the rate since it was emptied.
func (f *frame) eta(slot int, level float64) float64 {
	return f.of(slot, func(s *window.Series) float64 {
		return (s.FullAt(level) - float64(f.device.clock)) / float64(time.Hour.Milliseconds())
	})
}

// until is how many hours it is to the next time of day, in minutes after midnight of Shanghai.
func (f *frame) until(minute int) float64 {
	const day = 24 * 60
	now := (float64(f.device.clock)/float64(time.Minute.Milliseconds()) + 8*60)
	wait := math.Mod(float64(minute)-math.Mod(now, day)+day, day)
	return wait / 60
}

// raised reports whether a part that comes earlier is up.
func (f *frame) raised(at int) bool {
	lv := f.device.levels[at]
	return lv != nil && lv.Up
}

// neighbours is the median of the last readings of devices of the same kind near by; fewer than three are none.
func (f *frame) neighbours(slot int) float64 {
	values := make([]float64, 0, maxNear)
	for _, d := range f.watch.nearTo(f.device) {
		if d.series == nil || d.series[slot] == nil {
			continue
		}
		if last, ok := d.series[slot].Last(); ok && f.device.clock+f.device.lag-last.At-d.lag <= f.maxAge { // by receipt: clocks differ
			values = append(values, last.V)
		}
	}
	if len(values) < minNear {
		f.missing = true
		return math.NaN()
	}
	return window.Median(values)
}
