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
// foreign.
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

// since is the earliest moment at which a point of these readings may lie.
func since(readings []*wanted) time.Time {
	var first time.Time
	for _, w := range readings {
		at := w.SentAt.Add(-time.Minute)
		if ts := time.UnixMilli(w.TS); w.TS >= firstTS && ts.Before(at) {
			at = ts
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// match gives every reading its point, the timed ones first, and judges what is left over on either side.
func (r *Result) match(dev string, readings []*wanted, points []*point, now time.Time) {
	slices.SortFunc(readings, func(a, b *wanted) int { return cmp.Compare(len(b.Values), len(a.Values)) })
	at, like := byTime(points), byValue(points)
	for _, w := range readings {
		if w.timed = w.believed(now); w.timed {
			w.take(at[w.TS], func(p *point) bool { return !p.fault })
		}
	}
	for _, w := range readings {
		if w.have > 0 {
			continue
		}
		for range w.Sent {
			w.take(like.candidates(w.Values), func(p *point) bool { return p.fault == (w.TS != 0) })
		}
	}
	r.judgeReadings(dev, readings)
	r.judgePoints(dev, readings, points)
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

// judgePoints names the points that no reading claimed: those of one stored twice, and nobody's.
func (r *Result) judgePoints(dev string, readings []*wanted, points []*point) {
	r.Kept += len(points)
	for _, p := range points {
		if p.taken {
			continue
		}
		f := Finding{Device: dev, Channel: telemetry.ChannelTelemetry, What: fmt.Sprintf("point at %d ns: %v", p.ns, p.values), Have: 1}
		twin := slices.IndexFunc(readings, func(w *wanted) bool { return w.have > 0 && p.repeats(w) })
		if twin < 0 {
			r.Foreign = append(r.Foreign, f)
			continue
		}
		f.What, f.Least, f.Most, f.Have = string(readings[twin].Payload), 1, 1, 2
		r.Doubled = append(r.Doubled, f)
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
