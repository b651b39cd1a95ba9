package device

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchhouse/telemetry"
)

var (
	july    = time.Date(2026, 7, 13, 16, 0, 0, 0, time.UTC) // midnight in Shanghai, before days of 35 °C and more
	january = time.Date(2027, 1, 10, 16, 0, 0, 0, time.UTC)
)

func spec(kind telemetry.Kind) Spec {
	return Spec{ID: "d-1", Kind: kind, Power: "mains", Interval: 5 * time.Minute}
}

// diary is what a device said in some days, by the hour of its body's day.
type diary struct {
	events map[string]int
	byHour map[string][24]int
	rise   [24]float64 // of fill_wet_pct
	drops  map[string]int
	most   map[string]float64
	least  map[string]float64
}

// keep plays a device for some days and reads its messages.
func keep(t *testing.T, kind telemetry.Kind, start time.Time, days int, seed uint64) diary {
	t.Helper()
	d := diary{map[string]int{}, map[string][24]int{}, [24]float64{}, map[string]int{}, map[string]float64{}, map[string]float64{}}
	last := map[string]float64{}
	for _, m := range day(New(spec(kind), Options{Seed: seed, Start: start}), start, time.Duration(days)*24*time.Hour) {
		h := int(hour(time.UnixMilli(m.TS)))
		if m.Channel == telemetry.ChannelEvent {
			d.events[m.Type]++
			hours := d.byHour[m.Type]
			hours[h]++
			d.byHour[m.Type] = hours
			continue
		}
		for name, v := range values(t, m) {
			d.note(name, h, v, last)
		}
	}
	return d
}

func (d *diary) note(name string, h int, v float64, last map[string]float64) {
	before, known := last[name]
	last[name] = v
	if !known {
		d.most[name], d.least[name] = v, v
		return
	}
	d.most[name], d.least[name] = max(d.most[name], v), min(d.least[name], v)
	if before-v >= 30 {
		d.drops[name]++
	}
	if name == "fill_wet_pct" && v > before {
		d.rise[h] += v - before
	}
}

// Two weeks in the heat of summer: bags come in the two windows and rain from 18 to 20 h; food waste goes twice a day, residual every second,
// recyclables by booking; the lid opens when people are there.
func TestSummerOfASortingPoint(t *testing.T) {
	d := keep(t, telemetry.SortingPoint, july, 14, 1)
	morning, rain, night := d.rise[7]+d.rise[8], d.rise[18]+d.rise[19], d.rise[1]+d.rise[2]+d.rise[3]
	if rain < 1.5*morning || morning < 100 || night > morning/4 {
		t.Errorf("wet waste rises by %.0f at 7-9 h, %.0f at 18-20 h, %.0f at night", morning, rain, night)
	}
	if n := d.drops["fill_wet_pct"]; n < 14 {
		t.Errorf("wet bins emptied %d times in 14 days", n)
	}
	if n := d.drops["fill_dry_pct"]; n < 6 || n > 8 {
		t.Errorf("dry bins emptied %d times in 14 days", n)
	}
	if n := d.drops["fill_recyclable_pct"]; n < 1 || n > 3 || d.drops["fill_hazardous_pct"] > 0 {
		t.Errorf("recyclables fetched %d times, hazardous %d times", n, d.drops["fill_hazardous_pct"])
	}
	opened := d.byHour["opened"]
	if opened[18]+opened[19]+opened[7]+opened[8] < 600 || opened[2]+opened[3] != 0 || d.events["emptied"] < 21 {
		t.Errorf("events %v, opened by hour %v", d.events, opened)
	}
	if d.most["temp_c"] < 38 || d.most["nh3_ppm"] < 5 || d.most["weight_wet_kg"] < 100 {
		t.Errorf("at most %v", d.most)
	}
}

// A bin without room leaves bags on the ground, and a camera says so again while they lie there.
func TestBagsOnTheGround(t *testing.T) {
	p := newPoint(sortingBins(rand.New(rand.NewPCG(1, 1))), windows, july, rand.New(rand.NewPCG(1, 2)))
	for _, b := range p.bins {
		b.perBag, b.fill, b.pickup, b.plan = 200, 50, time.Time{}, inTwoDays
	}
	told, rng := 0, rand.New(rand.NewPCG(1, 3))
	for at := july; at.Before(july.Add(24 * time.Hour)); at = at.Add(5 * time.Minute) {
		for _, typ := range p.live(at, rng) {
			if h := hour(at); typ == "bag_on_ground" {
				if told++; h < 6.5 || h > 23.75 {
					t.Errorf("told at %v", at)
				}
			}
		}
	}
	if told < 20 || told > 110 {
		t.Errorf("told %d times in a day", told)
	}
}

// In winter the same bins are cold, smell little, and food waste goes once a day.
func TestWinterOfASortingPoint(t *testing.T) {
	summer, winter := keep(t, telemetry.SortingPoint, july, 10, 3), keep(t, telemetry.SortingPoint, january, 10, 3)
	if n := winter.drops["fill_wet_pct"]; n < 8 || n > 10 {
		t.Errorf("wet bins emptied %d times in 10 days", n)
	}
	if winter.events["emptied"] >= summer.events["emptied"] {
		t.Errorf("emptied %d times in winter, %d in summer", winter.events["emptied"], summer.events["emptied"])
	}
	if winter.most["temp_c"] > 20 || winter.most["nh3_ppm"] > summer.most["nh3_ppm"]/2 {
		t.Errorf("winter %v, summer %v", winter.most, summer.most)
	}
}

func TestARecyclablesPointIsFetchedByBooking(t *testing.T) {
	d := keep(t, telemetry.RecyclablesPoint, july, 30, 2)
	if n := d.drops["fill_recyclable_pct"]; n < 4 || n > 12 {
		t.Errorf("fetched %d times in 30 days", n)
	}
	if h := d.byHour["emptied"]; h[8]+h[20]+h[23] != 0 {
		t.Errorf("fetched at %v", h)
	}
	if h := d.byHour["opened"]; h[12] > h[10]/4 || h[10] < 100 {
		t.Errorf("opened at %v", h)
	}
	if _, ok := d.most["fill_wet_pct"]; ok {
		t.Error("it has a bin for food waste")
	}
}

func TestAGarageChargesInTheEvening(t *testing.T) {
	if at := func(h time.Duration) float64 { return charging(july.Add(h * time.Hour)) }; at(22) < 0.95 || at(10) > 0.2 || at(20) < 0.6 || at(2) > at(23) {
		t.Errorf("shares %v at 22 h, %v at 10 h, %v at 20 h, %v at 2 h", at(22), at(10), at(20), at(2))
	}
	d := keep(t, telemetry.Garage, july, 3, 2)
	if d.most["smoke_pct"] > 3 || d.most["charging_a"] < 18 || d.most["temp_c"] > 36 || len(d.events) != 0 {
		t.Errorf("at most %v, events %v", d.most, d.events)
	}
}

// Whatever the seed, kind and season: what is measured can be, and a run-up makes the first day like any other.
func TestMeasurementsArePossible(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom(kinds).Draw(rt, "kind")
		start := july.Add(time.Duration(rapid.IntRange(0, 365*24).Draw(rt, "hour")) * time.Hour)
		d := keep(t, kind, start, 2, rapid.Uint64().Draw(rt, "seed"))
		for name, most := range d.most {
			least := d.least[name]
			bound := map[string][2]float64{
				"temp_c": {-10, 65}, "rssi_dbm": {-130, -40}, "nh3_ppm": {0, 100}, "charging_a": {0, 100}, "smoke_pct": {0, 5}, "battery_pct": {0, 100},
			}
			for _, stream := range []string{"wet", "dry", "recyclable", "hazardous"} {
				bound["fill_"+stream+"_pct"], bound["weight_"+stream+"_kg"] = [2]float64{0, 100}, [2]float64{0, 600}
			}
			if b, ok := bound[name]; ok && (least < b[0] || most > b[1]) {
				rt.Errorf("%s: %s from %v to %v", kind, name, least, most)
			}
		}
	})
}

// A fast life passes in minutes; the messages carry the clock's time, come more often, and the lids say nothing.
func TestAFastLife(t *testing.T) {
	start := july.Add(10 * time.Hour) // of the wall
	d := New(spec(telemetry.SortingPoint), Options{Seed: 1, Start: start, Pace: 60, From: july.Add(17 * time.Hour)})
	out := day(d, start, 24*time.Minute)
	seen, highest, fell := map[string]int{}, 0.0, false
	for _, m := range out {
		seen[m.Type]++
		if at := time.UnixMilli(m.TS); at.Before(start) || at.After(start.Add(24*time.Minute)) {
			t.Fatalf("a message of %v", at)
		}
		if m.Channel == telemetry.ChannelTelemetry {
			fill := values(t, m)["fill_wet_pct"]
			highest, fell = max(highest, fill), fell || highest > 50 && fill < 10
		}
	}
	if !fell || seen["emptied"] == 0 || seen["opened"] != 0 || seen[""] < 140 {
		t.Errorf("a day in 24 minutes: highest %v, emptied %v, %v", highest, fell, seen)
	}
	// A truck is told of at once, not with the next heartbeat.
	for i, m := range out {
		if m.Type == "emptied" && out[i+1].TS != m.TS {
			t.Error("emptied, and no measurement with it")
		}
	}
}

func TestABinIsTapedUpUntilItIsCollected(t *testing.T) {
	d := New(spec(telemetry.SortingPoint), Options{Seed: 1, Start: july})
	if out, err := d.Fill(july.Add(time.Minute), "wet", 97); err != nil || len(out) == 0 {
		t.Fatalf("have %v, %v", out, err)
	}
	last, filled := 100.0, false
	for _, m := range telemetryOf(day(d, july, 48*time.Hour)) {
		fill := values(t, m)["fill_wet_pct"]
		if fill-last > 50 || filled && (fill < 95 || fill > 99) {
			t.Fatalf("taped up it has %v after %v", fill, last)
		}
		last, filled = fill, filled || fill > 95
	}
	if !filled {
		t.Error("it was never full")
	}
	out, err := d.Collect(july.Add(48*time.Hour), "wet")
	if err != nil || out[0].Type != "emptied" || values(t, out[len(out)-1])["fill_wet_pct"] > 6 {
		t.Errorf("have %v, %v", out, err)
	}
	if n := keepOn(t, d, july.Add(48*time.Hour)); n < 2 {
		t.Errorf("afterwards emptied %d times in two days", n)
	}
	for _, wrong := range []func() ([]Delivery, error){
		func() ([]Delivery, error) { return d.Fill(july, "glass", 1) },
		func() ([]Delivery, error) { return d.Burn(july, true) },
		func() ([]Delivery, error) { return New(button("mains", time.Hour), Options{}).Collect(july, "wet") },
	} {
		if out, err := wrong(); err == nil {
			t.Errorf("have %v", out)
		}
	}
}

func keepOn(t *testing.T, d *Device, start time.Time) (emptied int) {
	t.Helper()
	for _, m := range day(d, start, 48*time.Hour) {
		if m.Type == "emptied" {
			emptied++
		}
	}
	return emptied
}

// A fire is told at once, gets hot within a minute, and is over when it is out.
func TestAGarageBurns(t *testing.T) {
	d := New(spec(telemetry.Garage), Options{Seed: 1, Start: july})
	out, err := d.Burn(july.Add(time.Hour), true)
	if err != nil || out[0].Type != "smoke" || len(out) != 2 {
		t.Fatalf("have %v, %v", out, err)
	}
	start := july.Add(time.Hour)
	fire := telemetryOf(day(d, start, time.Minute))
	last := values(t, fire[len(fire)-1])
	if len(fire) < 10 || last["temp_c"] < 90 || last["smoke_pct"] < 70 {
		t.Errorf("after a minute of %d readings: %v", len(fire), last)
	}
	if out, err = d.Burn(start.Add(time.Minute), false); err != nil || out[0].Channel != telemetry.ChannelTelemetry {
		t.Fatalf("have %v, %v", out, err)
	}
	cool := telemetryOf(day(d, start.Add(time.Minute), time.Hour))
	if v := values(t, cool[len(cool)-1]); v["temp_c"] > 40 || v["smoke_pct"] > 3 {
		t.Errorf("an hour later: %v", v)
	}
}

// The weather is one for all, warm in July, cold in January, with some hot days and none of them in winter.
func TestWeather(t *testing.T) {
	count := func(from time.Time) (n int, mean float64) {
		for i := range 60 {
			at := from.Add(time.Duration(i) * 24 * time.Hour)
			if hot(at) {
				n++
			}
			mean += outdoor(at.Add(12*time.Hour)) / 60
		}
		return n, mean
	}
	if n, mean := count(july); n < 5 || n > 45 || mean < 27 || mean > 35 {
		t.Errorf("summer: %d hot days, %.1f °C at noon", n, mean)
	}
	if n, mean := count(january.Add(-30 * 24 * time.Hour)); n != 0 || mean < 2 || mean > 12 {
		t.Errorf("winter: %d hot days, %.1f °C at noon", n, mean)
	}
}

func TestPoissonHasItsMean(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, mean := range []float64{0, 0.1, 3} {
		total := 0
		for range 20000 {
			total += poisson(mean, rng)
		}
		if have := float64(total) / 20000; have < mean*0.95-0.01 || have > mean*1.05+0.01 {
			t.Errorf("mean %v, want %v", have, mean)
		}
	}
}
