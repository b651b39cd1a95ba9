package verify

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"watchhouse/telemetry"
)

// InfluxDB compares the ledger with the points of its devices. A reading is stored by a point of its device that has all its values and, when
// its time is believable, its millisecond; one without such a time lies wherever it was received, at least as often as it was acknowledged
// and at most as often as it was sent. Any further point with the values of a reading at its time doubles it; points of no reading are
// foreign, unless they were there before the first message was sent.
func (l *Ledger) InfluxDB(ctx context.Context, db InfluxDB) (Result, error) {
	readings := l.wanted()
	var r Result
	for _, dev := range slices.Sorted(maps.Keys(readings)) {
		mine := readings[dev]
		points, err := db.points(ctx, dev, since(mine))
		if err != nil {
			return r, fmt.Errorf("verify: InfluxDB: %s: %w", dev, err)
		}
		r.match(dev, mine, points, time.Now())
	}
	r.sort()
	return r, nil
}

// lastLook bounds the comparison after the time was up.
const lastLook = 2 * time.Minute

// InfluxDBSettled compares until all is well, again after each pause while the hub still writes, and gives the last comparison when ctx ends.
func (l *Ledger) InfluxDBSettled(ctx context.Context, db InfluxDB, pause time.Duration) (Result, error) {
	for {
		r, err := l.InfluxDB(ctx, db)
		if err == nil && r.OK() {
			return r, nil
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
			defer cancel()
			return l.InfluxDB(last, db)
		case <-time.After(pause):
		}
	}
}

// slack is how far the clocks of the hub and of the devices' machine may differ.
const slack = 2 * time.Second

// begun is when the first of these readings was sent, in ns; 0 when the ledger does not say.
func begun(readings []*wanted) int64 {
	var first time.Time
	for _, w := range readings {
		if first.IsZero() || w.SentAt.Before(first) {
			first = w.SentAt
		}
	}
	if first.IsZero() {
		return 0
	}
	return first.Add(-slack).UnixNano()
}

// since is the earliest moment at which a point of these readings may lie, in ns.
func since(readings []*wanted) int64 {
	first := begun(readings)
	for _, w := range readings {
		if w.TS >= firstTS {
			first = min(first, w.TS*int64(time.Millisecond))
		}
	}
	return first
}

// match gives every reading its point, the timed ones first, and judges what is left over on either side.
func (r *Result) match(dev string, readings []*wanted, points []*point, now time.Time) {
	slices.SortFunc(readings, func(a, b *wanted) int { return cmp.Compare(len(b.Values), len(a.Values)) })
	at, like, start := byTime(points), byValue(points), begun(readings)
	for _, w := range readings {
		if w.timed = w.believed(now); w.timed {
			w.take(at[w.TS], func(p *point) bool { return !p.fault })
		}
	}
	untimed := slices.DeleteFunc(slices.Clone(readings), func(w *wanted) bool { return w.have > 0 })
	for _, w := range untimed { // each its due first: many say the same, and one that was sent often must not take what others are owed
		w.takeLike(like, start, w.Acked)
	}
	for _, w := range untimed {
		w.takeLike(like, start, w.Sent)
	}
	r.judgeReadings(dev, readings)
	r.judgePoints(dev, readings, points, start)
}

// takeLike claims points with the reading's values, wherever they lie from start on, until it has n.
func (w *wanted) takeLike(like index, start int64, n int) {
	for range n - w.have {
		w.take(like.candidates(w.Values), func(p *point) bool { return p.ns >= start && p.fault == (w.TS != 0) })
	}
}

// take claims the first free point that holds the reading.
func (w *wanted) take(candidates []*point, fits func(*point) bool) {
	for _, p := range candidates {
		if !p.taken && fits(p) && p.holds(w.Values) {
			p.taken = true
			w.have++
			return
		}
	}
}

func (p *point) holds(values map[string]float64) bool {
	for name, v := range values {
		if have, ok := p.values[name]; !ok || have != v {
			return false
		}
	}
	return true
}

func (r *Result) judgeReadings(dev string, readings []*wanted) {
	for _, w := range readings {
		least := w.Acked
		if w.timed {
			least = min(1, least)
		}
		r.Acked += least
		r.judge(Finding{Device: dev, Channel: w.Channel, What: string(w.Payload), Least: least, Most: w.Sent, Have: w.have})
	}
}

// judgePoints names the points that no reading claimed: those of one stored twice, and nobody's. What was there before the start, and is not
// at the time of a reading, is of an earlier run.
func (r *Result) judgePoints(dev string, readings []*wanted, points []*point, start int64) {
	for _, p := range points {
		twin := slices.IndexFunc(readings, func(w *wanted) bool { return w.have > 0 && p.repeats(w) && (w.timed || p.ns >= start) })
		if !p.taken && twin < 0 && p.ns < start {
			continue
		}
		r.Kept++
		f := Finding{Device: dev, Channel: telemetry.ChannelTelemetry, What: fmt.Sprintf("point at %d ns: %v", p.ns, p.values), Have: 1}
		switch {
		case p.taken:
		case twin < 0:
			r.Foreign = append(r.Foreign, f)
		default:
			f.What, f.Least, f.Most, f.Have = string(readings[twin].Payload), 1, 1, 2
			r.Doubled = append(r.Doubled, f)
		}
	}
}

// repeats reports whether a point could be one more of a reading.
func (p *point) repeats(w *wanted) bool {
	return p.holds(w.Values) && (!w.timed || w.TS == p.ms())
}

func (p *point) ms() int64 { return p.ns / int64(time.Millisecond) }

func byTime(points []*point) map[int64][]*point {
	out := map[int64][]*point{}
	for _, p := range points {
		out[p.ms()] = append(out[p.ms()], p)
	}
	return out
}

// index finds points by one of their numbers.
type index map[measured][]*point

type measured struct {
	name  string
	value float64
}

func byValue(points []*point) index {
	out := index{}
	for _, p := range points {
		for name, v := range p.values {
			out[measured{name, v}] = append(out[measured{name, v}], p)
		}
	}
	return out
}

// candidates are the points that have one of the numbers: the one that the fewest have.
func (x index) candidates(values map[string]float64) []*point {
	var best []*point
	first := true
	for name, v := range values {
		if have := x[measured{name, v}]; first || len(have) < len(best) {
			best, first = have, false
		}
	}
	return best
}
