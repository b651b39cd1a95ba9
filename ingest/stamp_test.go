package ingest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

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
			size := rapid.IntRange(1, 30).Draw(rt, "size")
			stamps, again := newStamper(e, "", size), newStamper(e, "", size)
			for index := range size {
				r := telemetry.Reading{}
				if rapid.Bool().Draw(rt, "bad") {
					r.TS = new(int64)
				}
				ns, bad := stamps.time(&r, index)
				if repeat, _ := again.time(&r, index); repeat != ns || bad != (r.TS != nil) {
					rt.Fatalf("time %d, then %d, bad %v", ns, repeat, bad)
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
	metrics := []telemetry.Metric{{Name: "temp_c", Value: 21.5}}
	e := &journal.Entry{ID: 12_345, Message: journal.Message{ReceivedNS: t0}}
	for name, c := range map[string]struct {
		r     telemetry.Reading
		index int
		ns    int64
		bad   bool
	}{
		"ts":                  {telemetry.Reading{TS: ts(t0ms - 10), Metrics: metrics}, 0, 1767323045668476316, false},
		"ts in an array":      {telemetry.Reading{TS: ts(t0ms - 10), Metrics: metrics}, 3, 1767323045668476316, false},
		"ts and boot":         {telemetry.Reading{TS: ts(t0ms - 10), Boot: seq(0), Metrics: metrics}, 0, 1767323045668481345, false},
		"ts, boot and seq":    {telemetry.Reading{TS: ts(t0ms), Boot: seq(3), Seq: seq(42), Metrics: metrics}, 0, t0ms*nsPerMS + 36 + 42, false},
		"the largest numbers": {telemetry.Reading{TS: ts(t0ms), Boot: seq(math.MaxUint32), Seq: seq(math.MaxUint32)}, 0, 1767323045678672959, false},
		"ts and seq":          {telemetry.Reading{TS: ts(t0ms), Seq: seq(42)}, 3, t0ms*nsPerMS + 42, false},
		"a large seq":         {telemetry.Reading{TS: ts(t0ms), Seq: seq(math.MaxUint32)}, 0, t0ms*nsPerMS + 967_295, false},
		"five minutes ahead":  {telemetry.Reading{TS: ts(t0ms + 300_000), Seq: seq(0)}, 0, (t0ms + 300_000) * nsPerMS, false},
		"more":                {telemetry.Reading{TS: ts(t0ms + 300_001), Seq: seq(1)}, 0, 1767323045678901345, true},
		"before 2020":         {telemetry.Reading{TS: ts(1_577_836_799_999)}, 2, 1767323045678903345, true},
		"none":                {telemetry.Reading{}, 0, 1767323045678901345, false},
		"none, with a number": {telemetry.Reading{Seq: seq(9)}, 1, 1767323045678902345, false},
	} {
		stamps := newStamper(e, "", 1)
		if ns, bad := stamps.time(&c.r, c.index); ns != c.ns || bad != c.bad {
			t.Errorf("%s: %d %v, want %d %v", name, ns, bad, c.ns, c.bad)
		}
	}
}

// said is what one reading of a generated message says; two that are equal are one reading.
type said struct {
	boot, seq int // -1 = absent
	metric    string
	value     int
}

func (s said) json() string {
	out := fmt.Sprintf(`{"ts":%d`, t0ms)
	if s.boot >= 0 {
		out += fmt.Sprintf(`,"boot":%d`, s.boot)
	}
	if s.seq >= 0 {
		out += fmt.Sprintf(`,"seq":%d`, s.seq)
	}
	return out + fmt.Sprintf(`,"%s":%d}`, s.metric, s.value)
}

// identity is what makes two readings one by the contract of the wire: their number, else all they say.
func (s said) identity() said {
	if s.seq >= 0 {
		return said{boot: s.boot, seq: s.seq}
	}
	return s
}

// messagesOfOneMillisecond gives payloads of one device with one time, every reading of another identity, some in arrays.
// The values are so few that no two readings without a number share a nanosecond by chance.
func messagesOfOneMillisecond(rt *rapid.T) (payloads []string, readings int) {
	few := rapid.Custom(func(t *rapid.T) said {
		return said{
			boot: rapid.IntRange(-1, 2).Draw(t, "boot"), seq: rapid.IntRange(-1, 6).Draw(t, "seq"),
			metric: rapid.SampledFrom([]string{"temp_c", "hum"}).Draw(t, "metric"), value: rapid.IntRange(0, 12).Draw(t, "value"),
		}
	})
	all := rapid.SliceOfNDistinct(few, 2, 25, said.identity).Draw(rt, "readings")
	for rest := all; len(rest) > 0; {
		n := rapid.IntRange(1, len(rest)).Draw(rt, "size")
		var texts []string
		for _, s := range rest[:n] {
			texts = append(texts, s.json())
		}
		payload := texts[0]
		if n > 1 {
			payload = "[" + strings.Join(texts, ",") + "]"
		}
		payloads, rest = append(payloads, payload), rest[n:]
	}
	return payloads, len(all)
}

// TestMessagesOfOneMillisecondNeverOverwriteEachOther, and each redelivered overwrites itself, in the real server.
func TestMessagesOfOneMillisecondNeverOverwriteEachOther(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), nil)
	r.run()
	want := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		device := fmt.Sprintf("d%d", len(want))
		payloads, readings := messagesOfOneMillisecond(rt)
		want[device] = readings
		var ms []journal.Message
		for _, p := range payloads {
			ms = append(ms, message(device, t0, p))
		}
		for _, p := range rapid.Permutation(payloads).Draw(rt, "redelivered") {
			ms = append(ms, message(device, t0+int64(time.Hour), p))
		}
		r.submit(ms)
	})
	r.drained()
	have := map[string]int{}
	for _, row := range s.influxQL("SELECT * FROM telemetry").Values {
		have[row[slices.IndexFunc(row, func(v any) bool { _, text := v.(string); return text })].(string)]++
	}
	if !maps.Equal(want, have) {
		for device, n := range want {
			if have[device] != n {
				t.Fatalf("%s: %d points for %d readings", device, have[device], n)
			}
		}
		t.Fatalf("%d devices in the database, %d sent", len(have), len(want))
	}
}

// TestReadingsOfOneMessageNeverOverwriteEachOther, even when a device gives them one number, and a reading twice in a message is one.
func TestReadingsOfOneMessageNeverOverwriteEachOther(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), nil)
	one := fmt.Sprintf(`{"ts":%d,"seq":4,"temp_c":1}`, t0ms)
	two := fmt.Sprintf(`{"ts":%d,"seq":4,"temp_c":2}`, t0ms)
	r.append(message("d1", t0, "["+one+","+two+","+one+"]"))
	r.append(message("d1", t0+1, "["+one+","+two+","+one+"]"))
	r.append(message("d1", t0+2, fmt.Sprintf(`{"ts":%d,"seq":5,"temp_c":3}`, t0ms))) // has a number of its own
	r.run()
	r.drained()
	if n := s.count("temp_c"); n != 3 {
		t.Errorf("%d points, want 3", n)
	}
}

func TestWhatArrivedLateSaysHowLate(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), devices{
		"house":  {ID: "house", ReportInterval: 30 * time.Second},
		"button": {ID: "button", ReportInterval: 4 * time.Hour},
	})
	send := func(device string, ago time.Duration) {
		r.append(message(device, t0, fmt.Sprintf(`{"ts":%d,"seq":1,"temp_c":1}`, t0ms-ago.Milliseconds())))
	}
	send("house", 10*time.Minute)
	send("house", 10*time.Minute+time.Second)
	send("button", 8*time.Hour)
	send("button", 8*time.Hour+time.Minute)
	send("house", -time.Minute)
	r.append(message("house", t0, `{"temp_c":1}`))
	r.append(message("house", t0, `[{"ts":`+fmt.Sprint(t0ms-86_400_000)+`,"temp_c":1},{"ts":5,"temp_c":1},{"temp_c":1}]`))
	r.run()
	r.drained()
	var got []float64
	for _, row := range s.influxQL("SELECT late_s FROM telemetry").Values {
		v, err := row[1].(json.Number).Float64()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	slices.SortFunc(got, cmp.Compare[float64])
	if want := []float64{601, 28_860, 86_400}; !slices.Equal(got, want) {
		t.Errorf("late by %v, want %v", got, want)
	}
	if n := s.count("temp_c"); n != 9 {
		t.Errorf("%d points, want 9", n)
	}
}
