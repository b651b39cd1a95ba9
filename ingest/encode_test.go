package ingest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"pgregory.net/rapid"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// decodeLines reads line protocol with the decoder of its makers; from is not restored.
func decodeLines(lines []byte) ([]point, error) {
	var out []point
	for d := lineprotocol.NewDecoderWithBytes(lines); d.Next(); {
		p, err := decodeLine(d)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func decodeLine(d *lineprotocol.Decoder) (p point, err error) {
	if m, err := d.Measurement(); err != nil || string(m) != measurement {
		return p, fmt.Errorf("measurement %q: %w", m, err)
	}
	tags := map[string]*string{tagArea: &p.area, tagDevice: &p.device, tagKind: &p.kind}
	for {
		key, value, err := d.NextTag()
		if err != nil {
			return p, err
		}
		if key == nil {
			break
		}
		to, ok := tags[string(key)]
		if !ok || *to != "" {
			return p, fmt.Errorf("tag %q", key)
		}
		*to = string(value)
	}
	for {
		key, value, err := d.NextField()
		if err != nil {
			return p, err
		}
		if key == nil {
			break
		}
		if value.Kind() != lineprotocol.Float {
			return p, fmt.Errorf("field %q is a %v", key, value.Kind())
		}
		if string(key) == clockBadField {
			p.clockBad = true
			continue
		}
		p.metrics = append(p.metrics, telemetry.Metric{Name: string(key), Value: value.FloatV()})
	}
	at, err := d.Time(lineprotocol.Nanosecond, time.Time{})
	p.ns = at.UnixNano()
	return p, err
}

func samePoint(a, b point) bool {
	a.from, b.from, a.index, b.index = nil, nil, 0, 0
	return a.area == b.area && a.device == b.device && a.kind == b.kind && a.ns == b.ns && a.clockBad == b.clockBad &&
		slices.Equal(a.metrics, b.metrics)
}

func TestEveryPointComesBackFromItsLine(t *testing.T) {
	name := rapid.OneOf(rapid.StringMatching(`[a-z_]{1,10}`), rapid.StringN(1, 20, -1)).Filter(storable)
	tag := rapid.Map(rapid.OneOf(rapid.StringN(0, 20, -1), rapid.StringMatching(`[ ,="\\a-z]*`)), tagValue)
	rapid.Check(t, func(rt *rapid.T) {
		var points []point
		for range rapid.IntRange(1, 20).Draw(rt, "n") {
			p := point{
				area: tag.Draw(rt, "area"), device: tag.Draw(rt, "device"), kind: tag.Draw(rt, "kind"),
				ns: rapid.Int64Range(math.MinInt64+2, math.MaxInt64-2).Draw(rt, "ns"), clockBad: rapid.Bool().Draw(rt, "bad"),
			}
			for _, n := range rapid.SliceOfNDistinct(name, 1, 8, rapid.ID).Draw(rt, "names") {
				v := rapid.Float64().Filter(finite).Draw(rt, "value")
				p.metrics = append(p.metrics, telemetry.Metric{Name: n, Value: v})
			}
			points = append(points, p)
		}
		var enc lineEncoder
		lines, fault := enc.encode(points)
		if fault != "" {
			rt.Fatal(fault)
		}
		back, err := decodeLines(lines)
		if err != nil {
			rt.Fatalf("%v in\n%s", err, lines)
		}
		if !slices.EqualFunc(points, back, samePoint) {
			rt.Fatalf("%+v\ncame back as\n%+v", points, back)
		}
	})
}

// TestTimesAreUniqueAndDependOnTheFrameOnly: whatever the clock did, up to the number of messages that the package comment
// promises, and for any mixture of payloads without believable times.
func TestTimesAreUniqueAndDependOnTheFrameOnly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first := rapid.Uint64Range(1, 1<<50).Draw(rt, "first")
		received := t0
		seen := map[int64]string{}
		for n := range rapid.IntRange(1, 200).Draw(rt, "messages") {
			received += rapid.OneOf(rapid.Just[int64](0), rapid.Int64Range(-3000, 3000), rapid.Int64Range(-1e12, 1e12)).Draw(rt, "step")
			e := &journal.Entry{ID: first + uint64(n), Message: journal.Message{ReceivedNS: received}}
			last := int64(math.MinInt64)
			for index := range rapid.IntRange(1, 30).Draw(rt, "size") {
				r := telemetry.Reading{}
				if rapid.Bool().Draw(rt, "bad") {
					r.TS = new(int64)
				}
				ns, bad := pointTime(e, &r, index)
				if again, _ := pointTime(e, &r, index); again != ns || bad != (r.TS != nil) {
					rt.Fatalf("time %d, then %d, bad %v", ns, again, bad)
				}
				if other, ok := seen[ns]; ok {
					rt.Fatalf("message %d reading %d has the time of %s", n, index, other)
				}
				if seen[ns] = fmt.Sprintf("message %d reading %d", n, index); ns <= last {
					rt.Fatalf("reading %d does not come after the one before it", index)
				}
				if off := ns - received; off < -1000 || off > int64(index+1)*1000 {
					rt.Fatalf("time is %d ns from the receive time", off)
				}
				last = ns
			}
		}
	})
}

func TestTimesOfNumberedReadings(t *testing.T) {
	ts, seq := func(v int64) *int64 { return &v }, func(v uint32) *uint32 { return &v }
	e := &journal.Entry{ID: 12_345, Message: journal.Message{ReceivedNS: t0}}
	for name, c := range map[string]struct {
		r     telemetry.Reading
		index int
		ns    int64
		bad   bool
	}{
		"ts":                  {telemetry.Reading{TS: ts(t0ms - 10)}, 0, (t0ms - 10) * nsPerMS, false},
		"ts in an array":      {telemetry.Reading{TS: ts(t0ms - 10)}, 3, (t0ms-10)*nsPerMS + 3, false},
		"ts and seq":          {telemetry.Reading{TS: ts(t0ms), Seq: seq(42)}, 3, t0ms*nsPerMS + 42, false},
		"a large seq":         {telemetry.Reading{TS: ts(t0ms), Seq: seq(math.MaxUint32)}, 0, t0ms*nsPerMS + 967_295, false},
		"five minutes ahead":  {telemetry.Reading{TS: ts(t0ms + 300_000)}, 0, (t0ms + 300_000) * nsPerMS, false},
		"more":                {telemetry.Reading{TS: ts(t0ms + 300_001), Seq: seq(1)}, 0, 1767323045678901345, true},
		"before 2020":         {telemetry.Reading{TS: ts(1_577_836_799_999)}, 2, 1767323045678903345, true},
		"none":                {telemetry.Reading{}, 0, 1767323045678901345, false},
		"none, with a number": {telemetry.Reading{Seq: seq(9)}, 1, 1767323045678902345, false},
	} {
		if ns, bad := pointTime(e, &c.r, c.index); ns != c.ns || bad != c.bad {
			t.Errorf("%s: %d %v, want %d %v", name, ns, bad, c.ns, c.bad)
		}
	}
}

// noLetters throws dead letters away.
type noLetters struct{ n int }

func (l *noLetters) Add(int64, []byte) { l.n++ }

func testCollector() *collector {
	return &collector{letters: &letterBox{stream: &noLetters{}}, stats: &meter{}, fields: newFieldLimit(), batch: 5000}
}

// FuzzPayloadToLine: whatever a device sends, the lines made of it are valid and say what the points say.
func FuzzPayloadToLine(f *testing.F) {
	f.Add("wh/v1/d1/telemetry", []byte(`{"ts":1767323045678,"seq":7,"battery_pct":87,"mains":true}`), "jw01", t0)
	f.Add("wh/v1/g/child/d1/telemetry", []byte(`[{"a.b-c":1},{"ts":5,"x":-0.0,"y":1e308}]`), "a b,c=d\\", int64(-1))
	f.Add("wh/v1/d1/telemetry", []byte("{\"a\nb\":1,\" \":2,\"\\\\\":3,\"time\":4,\"_x\":5,\"temp_c\":1}"), "\n", int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, topic string, payload []byte, area string, received int64) {
		c := testCollector()
		e := &journal.Entry{ID: 1, Message: journal.Message{
			Kind: journal.Publish, Topic: topic, Device: "x", Payload: payload,
			ReceivedNS: min(max(received, 0), 9e18), // a clock of this epoch
		}}
		var b batch
		d := devices{"d1": registry.Device{ID: "d1", Kind: telemetry.Kind(area), Area: area}}
		c.decode(&b, e, d)
		var enc lineEncoder
		lines, fault := enc.encode(b.points)
		if fault != "" {
			t.Fatalf("%s: %q", fault, payload)
		}
		back, err := decodeLines(lines)
		if err != nil {
			t.Fatalf("%v in %q", err, lines)
		}
		if !slices.EqualFunc(b.points, back, samePoint) {
			t.Fatalf("%+v\ncame back as\n%+v\nin %q", b.points, back, lines)
		}
	})
}

func TestStorableNames(t *testing.T) {
	for name, want := range map[string]bool{
		"temp_c": true, "a.b-c": true, "温度": true, "a b,c=d": true,
		"": false, "time": false, "clock_bad": false, "device": false, "area": false, "kind": false, "_field": false,
		"a\nb": false, "a\x00": false, "a\x7f": false, `a\`: false, "\xff": false,
	} {
		if storable(name) != want {
			t.Errorf("storable(%q) is %v", name, !want)
		}
	}
}
