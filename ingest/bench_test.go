package ingest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

func benchPoints(n int) []point {
	out := make([]point, n)
	for k := range out {
		out[k] = point{
			area: "jw01", device: fmt.Sprintf("eb-%04d", k%1000), kind: "emergency_button", ns: t0 + int64(k),
			metrics: []telemetry.Metric{{Name: "battery_pct", Value: 87}, {Name: "rssi_dbm", Value: -91}, {Name: "temp_c", Value: 21.5}},
		}
	}
	return out
}

func BenchmarkEncode(b *testing.B) {
	points := benchPoints(5000)
	var enc lineEncoder
	b.ReportAllocs()
	for b.Loop() {
		if _, fault := enc.encode(points); fault != "" {
			b.Fatal(fault)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(points)), "ns/point")
}

func BenchmarkDecode(b *testing.B) {
	e := &journal.Entry{ID: 1, Message: message("d1", t0, fmt.Sprintf(`{"ts":%d,"seq":7,"battery_pct":87,"rssi_dbm":-91,"temp_c":21.5}`, t0ms))}
	c := testCollector()
	var into batch
	b.ReportAllocs()
	for b.Loop() {
		into.points = into.points[:0]
		c.add(&into, e, devices{"d1": {ID: "d1", Kind: "garage", Area: "jw01"}})
	}
}

// BenchmarkCatchUp is journaled messages to points confirmed by the real InfluxDB on the same machine.
func BenchmarkCatchUp(b *testing.B) {
	s := newStore(b, "")
	r := newRig(b, s.config(), nil)
	const n = 200_000
	for from := 0; from < n; from += 20_000 {
		r.submit(numbered(from, 20_000))
	}
	for b.Loop() {
		b.StopTimer()
		if err := r.lane.DropCursor(b.Context(), cursorName); err != nil {
			b.Fatal(err)
		}
		again := rigOn(b, r.journal, s.config(), nil)
		b.StartTimer()
		stop := again.run()
		again.until("the end", func() bool { return again.i.Stats().Written >= n })
		b.StopTimer()
		stop()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "points/s")
}

// BenchmarkEventWhileCatchingUp is the time to journal a call, alone and while ingest works off a backlog into an InfluxDB on
// the same machine.
func BenchmarkEventWhileCatchingUp(b *testing.B) {
	for name, behind := range map[string]bool{"idle": false, "catching up": true} {
		b.Run(name, func(b *testing.B) {
			s := newStore(b, "")
			r := newRig(b, s.config(), nil)
			if behind {
				for from := 0; from < 400_000; from += 20_000 {
					r.submit(numbered(from, 20_000))
				}
				r.run()
				r.until("the catch-up", func() bool { return r.i.Stats().Written > 0 })
			}
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if _, err := r.journal.Lane(journal.EventLane).Append(b.Context(), message("eb-1", t0, "{}")); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
				time.Sleep(2 * time.Millisecond) // presses do not come in a stream
			}
			if behind && r.i.Stats().LagMessages == 0 {
				b.Log("the backlog was worked off before the end")
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
		})
	}
}
