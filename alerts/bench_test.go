package alerts

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// BenchmarkDecide is one press of a device not heard before, decided, encoded and folded.
func BenchmarkDecide(b *testing.B) {
	d := &decider{rules: shippedRules(b), epoch: "epoch", writer: "w"}
	bk, w := newBook(), newWorld()
	k := &desk{tb: b, now: t0}
	n := 0
	for b.Loop() {
		n++
		id := fmt.Sprintf("n%d", n)
		w.devices[id] = registry.Device{ID: id, Kind: telemetry.EmergencyButton, Area: "a1", Person: "p1"}
		e := k.message("wh/v1/"+id+"/event", sos)
		s, _ := d.decideEvent(bk, w, e, t0+int64(n), cursors{})
		if _, err := s.encode(); err != nil {
			b.Fatal(err)
		}
		if err := bk.apply(bk.step+1, s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEngine is what presses cost from the lane to the view, on a ledger in memory.
func BenchmarkEngine(b *testing.B) {
	p := newPlant(b)
	e := p.start()
	sent := 0
	for b.Loop() {
		sent++
		p.press([]string{"b1", "b2", "b3"}[sent%3], `{"type":"sos"}`)
		for sent%512 == 0 && e.View().Seq < uint64(sent) {
			time.Sleep(100 * time.Microsecond)
		}
	}
	b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "presses/s")
	if err := p.stop(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSignOfLife is what one telemetry message costs the engine.
func BenchmarkSignOfLife(b *testing.B) {
	l := newLastSeen(nil)
	list := make([]journal.Entry, 10_000)
	for n := range list {
		id := fmt.Sprintf("n%d", n)
		list[n].Message = publish("wh/v1/"+id+"/telemetry", id, `{"battery_pct":90}`)
	}
	n := 0
	for b.Loop() {
		e := &list[n%len(list)]
		e.ReceivedNS++
		l.mark(e)
		n++
	}
}

// BenchmarkWatch is what one reading of a sorting point costs: decoded, kept and judged by every rule of its metrics.
func BenchmarkWatch(b *testing.B) {
	for name, payload := range map[string]string{
		"one stream":   `{"fill_wet_pct":%d,"battery_pct":80}`,
		"four streams": `{"fill_wet_pct":%d,"fill_dry_pct":40,"fill_recyclable_pct":30,"fill_hazardous_pct":5,"temp_c":21,"nh3_ppm":1}`,
	} {
		b.Run(name, func(b *testing.B) {
			p, w := benchWatch(b, 1000)
			f := feed{lane: journal.TelemetryLane, spec: w.spec, world: w.world, log: w.log}
			b.ReportAllocs()
			n, ns := 0, time.Now().UnixNano()
			for b.Loop() {
				n++
				ns += int64(60 * time.Millisecond) // a reading a minute of each
				m := publish("wh/v1/"+p[n%len(p)]+"/telemetry", p[n%len(p)], fmt.Sprintf(payload, 20+n/len(p)%50))
				m.ReceivedNS = ns
				at := journal.Position{Frame: uint64(n)}
				f.take(&journal.Entry{Message: m, ID: uint64(n), Pos: at})
				if n%64 == 0 {
					w.take(context.Background(), journal.TelemetryLane, f.taken(), at, ns)
					w.take(context.Background(), journal.EventLane, nil, at, ns)
				}
			}
		})
	}
}

// BenchmarkWatchMemory is what a busy sorting point holds after a day of readings every ten minutes, and its part of a snapshot.
func BenchmarkWatchMemory(b *testing.B) {
	const devices = 2000
	for b.Loop() {
		before := heapInUse()
		ids, w := benchWatch(b, devices)
		f := feed{lane: journal.TelemetryLane, spec: w.spec, world: w.world, log: w.log}
		n, ns := uint64(0), time.Now().UnixNano()
		for minute := 0; minute < 24*60; minute += 10 {
			for _, id := range ids {
				n++
				m := publish("wh/v1/"+id+"/telemetry", id, fmt.Sprintf(`{"fill_wet_pct":%d,"fill_dry_pct":40,"temp_c":21}`, minute%90))
				m.ReceivedNS = ns + int64(minute)*int64(time.Minute)
				f.take(&journal.Entry{Message: m, ID: n, Pos: journal.Position{Frame: n}})
			}
			w.take(context.Background(), journal.TelemetryLane, f.taken(), journal.Position{Frame: n}, ns+int64(minute)*int64(time.Minute))
		}
		b.ReportMetric(float64(heapInUse()-before)/devices, "B/device")
		kv := &fakeBucket{m: map[string][]byte{}}
		if _, err := w.store(b.Context(), kv, "epoch"); err != nil {
			b.Fatal(err)
		}
		size := 0
		for _, part := range kv.m {
			size += len(part)
		}
		b.ReportMetric(float64(size)/devices, "snapshot-B/device")
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// benchWatch is a watch over sorting points.
func benchWatch(b *testing.B, n int) ([]string, *watch) {
	b.Helper()
	p := newPlant(b)
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("n%d", i)
		p.world.devices[ids[i]] = registry.Device{ID: ids[i], Kind: telemetry.SortingPoint, Area: "a1"}
	}
	ports := p.ports()
	fixed := benchWorld{p.world, registry.NewLocator(p.world.catalog, p.world.Devices())}
	ports.world = func() world { return fixed }
	w := newWatch(shippedRules(b), ports, func() int64 { return 1 << 62 })
	w.begin(journal.Position{}, journal.Position{}, nil, nil)
	return ids, w
}

// benchWorld finds devices as a view of the registry does.
type benchWorld struct {
	*fakeWorld
	locator *registry.Locator
}

func (w benchWorld) Locate(topic, sender string) (registry.Origin, error) {
	return w.locator.Locate(topic, sender)
}

// BenchmarkView is the cost of one change among 10,000 open incidents.
func BenchmarkView(b *testing.B) {
	bk := newBook()
	ids := []string{}
	for n := range 10_000 {
		id := incidentID("epoch", t0+int64(n), uint64(n))
		bk.incidents[id] = &Incident{ID: id, State: StateNew}
		ids = append(ids, id)
	}
	v := viewOf(bk)
	n := 0
	for b.Loop() {
		v = v.after(bk, map[string]struct{}{ids[n%len(ids)]: {}}, false)
		n++
	}
}

// BenchmarkPressUnderTelemetry is a press on a real journal, from its append to the view, beside 10,000 readings a second.
func BenchmarkPressUnderTelemetry(b *testing.B) {
	p := &realPlant{tb: b, dir: b.TempDir()}
	p.start(0, false)
	ctx, cancel := context.WithCancel(context.Background())
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		p.flood(ctx)
	}()
	took := []time.Duration{}
	sent := 0
	for b.Loop() {
		sent++
		began := time.Now()
		p.press("b1", `{"type":"sos"}`)
		stored := time.Now()
		for p.engine.View().Seq < uint64(sent) {
			time.Sleep(20 * time.Microsecond)
		}
		took = append(took, time.Since(stored))
		time.Sleep(max(0, 5*time.Millisecond-time.Since(began)))
	}
	cancel()
	<-flooded
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	p.stop()
}

// flood submits 10,000 readings a second of 2,000 devices.
func (p *realPlant) flood(ctx context.Context) {
	lane := p.journal.Lane(journal.TelemetryLane)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	n := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for range 100 {
			n++
			id := fmt.Sprintf("t%d", n%2000)
			m := publish("wh/v1/"+id+"/telemetry", id, `{"ts":1763888888123,"battery_pct":87,"rssi_dbm":-91}`)
			if err := lane.Submit(m, nil); err != nil {
				p.tb.Error(err)
				return
			}
		}
	}
}
