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
		switch string(key) {
		case clockBadField:
			p.clockBad = true
			continue
		case lateField:
			p.late = value.FloatV()
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
	return a.area == b.area && a.device == b.device && a.kind == b.kind && a.ns == b.ns && a.clockBad == b.clockBad && a.late == b.late &&
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
				late: rapid.Float64Range(0, 1e9).Draw(rt, "late"),
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

// noLetters throws dead letters away.
type noLetters struct{ n int }

func (l *noLetters) AddFrom(string, int64, []byte) { l.n++ }

func testCollector() *collector {
	return &collector{decoder: decoder{letters: &letterBox{stream: &noLetters{}}, stats: &meter{}, fields: newFieldLimit()}, batch: 5000}
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
		c.add(&b, e, d)
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
		"": false, "time": false, "clock_bad": false, "late_s": false, "device": false, "area": false, "kind": false, "_field": false,
		"a\nb": false, "a\x00": false, "a\x7f": false, `a\`: false, "\xff": false,
	} {
		if storable(name) != want {
			t.Errorf("storable(%q) is %v", name, !want)
		}
	}
}
