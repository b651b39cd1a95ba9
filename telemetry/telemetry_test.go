package telemetry

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// telemetryPayloads are payloads with what is read from them and what is wrong with them.
var telemetryPayloads = []struct {
	name, payload string
	want          []Reading
	faults        string // as FieldErrors writes them, without what was wanted
}{
	{name: "contract example", payload: `{"ts":1763888888123,"seq":7,"rssi_dbm":-91,"battery_pct":87}`, want: []Reading{
		{TS: new(int64(1763888888123)), Seq: new(uint32(7)), Metrics: []Metric{{"battery_pct", 87}, {"rssi_dbm", -91}}},
	}},
	{name: "array", payload: `[{"ts":1763888888123,"temp_c":-1.5e1},{"boot":2,"temp_c":3}]`, want: []Reading{
		{TS: new(int64(1763888888123)), Metrics: []Metric{{"temp_c", -15}}},
		{Boot: new(uint32(2)), Metrics: []Metric{{"temp_c", 3}}},
	}},
	{name: "booleans, null, unknown names", payload: `{"mains":true,"door":false,"x":null,"Vendor.x-1":0}`, want: []Reading{
		{Metrics: []Metric{{"Vendor.x-1", 0}, {"door", 0}, {"mains", 1}}},
	}},
	{name: "nothing to say", payload: `{}`, want: []Reading{{}}},
	{name: "empty array", payload: `[]`},
	{
		name: "a bad field leaves the others", payload: `{"temp_c":"21.5","battery_pct":87,"mains":{"a":[1]}}`,
		want:   []Reading{{Metrics: []Metric{{"battery_pct", 87}}}},
		faults: "temp_c a string; mains an object",
	},
	{
		name: "NaN leaves the others", payload: `[{"temp_c":NaN,"battery_pct":87},{"temp_c":-Infinity,"mains":1}]`,
		want:   []Reading{{Metrics: []Metric{{"battery_pct", 87}}}, {Metrics: []Metric{{"mains", 1}}}},
		faults: "[0].temp_c a bare word such as NaN; [1].temp_c a bare word such as NaN",
	},
	{
		name: "beyond float64", payload: `{"temp_c":1e999,"mains":1}`,
		want: []Reading{{Metrics: []Metric{{"mains", 1}}}}, faults: "temp_c a number out of range",
	},
	{
		name: "an unusable time is not believed", payload: `{"ts":"1763888888123","temp_c":1}`,
		want: []Reading{{TS: new(int64(0)), Metrics: []Metric{{"temp_c", 1}}}}, faults: "ts a string",
	},
	{
		name: "two times", payload: `{"ts":1763888888123,"ts":1763888888124,"temp_c":1}`,
		want: []Reading{{TS: new(int64(0)), Metrics: []Metric{{"temp_c", 1}}}}, faults: "ts it twice",
	},
	{
		name: "two values of a metric", payload: `{"temp_c":1,"mains":1,"temp_c":2}`,
		want: []Reading{{Metrics: []Metric{{"mains", 1}}}}, faults: "temp_c it twice",
	},
	{
		name: "an element that is none", payload: `[{"a":1},5,"x",null,[{"a":2}],{"a":3}]`,
		want:   []Reading{{Metrics: []Metric{{"a", 1}}}, {Metrics: []Metric{{"a", 3}}}},
		faults: "[1] a number; [2] a string; [3] null; [4] an array",
	},
	{
		name: "bad names", payload: `{"":1,"1a":1,"a b":1,"温度":1,"` + strings.Repeat("n", 65) + `":1,"ok":1}`,
		want:   []Reading{{Metrics: []Metric{{"ok", 1}}}},
		faults: `"" another; "1a" another; "a b" another; "\u6e29\u5ea6" another; "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn another`,
	},
	{
		name: "bad seq", payload: `{"seq":-1,"boot":1.5,"a":1}`, want: []Reading{{Metrics: []Metric{{"a", 1}}}},
		faults: "seq a number out of range; boot a number with a fraction",
	},
	{name: "empty", payload: "", faults: "payload an empty one"},
	{name: "garbage", payload: "\x81\x01\xff", faults: "payload text that is not JSON"},
	{name: "bare number", payload: "5", faults: "payload a number"},
	{name: "cut short", payload: `[{"a":1},{"b":`, faults: "[1].b the end of the payload"},
	{name: "cut in an object", payload: `{"a":1`, faults: "a the end of the payload"},
	{name: "missing comma", payload: `[{"a":1}{"b":2 "c":3}]`, want: []Reading{{Metrics: []Metric{{"a", 1}}}, {Metrics: []Metric{{"b", 2}, {"c", 3}}}}},
	{name: "trailing comma", payload: `[{"a":1,},]`, want: []Reading{{Metrics: []Metric{{"a", 1}}}}},
	{name: "something after", payload: `{"a":1} x`, want: []Reading{{Metrics: []Metric{{"a", 1}}}}, faults: "payload more bytes"},
	{name: "broken nested value", payload: `{"a":[1,],"b":2}`, want: []Reading{{Metrics: []Metric{{"b", 2}}}}, faults: "a an array"},
	{name: "missing colon", payload: `{"a" 1,"b":2}`, want: []Reading{{Metrics: []Metric{{"b", 2}}}}, faults: "a text that is not JSON"},
}

func TestDecodeTelemetry(t *testing.T) {
	for _, tc := range telemetryPayloads {
		t.Run(tc.name, func(t *testing.T) {
			got, err := DecodeTelemetry([]byte(tc.payload))
			if diff := cmp.Diff(tc.want, got, cmp.Transformer("empty", func(m []Metric) string { return fmt.Sprint(m) })); diff != "" && len(tc.want)+len(got) > 0 {
				t.Errorf("readings (-want +got):\n%s", diff)
			}
			if have := faultsOf(t, err); have != tc.faults {
				t.Errorf("faults %q, want %q", have, tc.faults)
			}
		})
	}
}

func faultsOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var all FieldErrors
	if !errors.As(err, &all) {
		t.Fatalf("error %v (%T), want FieldErrors", err, err)
	}
	var first *FieldError
	if !errors.As(err, &first) || first != all[0] {
		t.Errorf("errors.As gives %v, want the first fault", first)
	}
	var texts []string
	for _, e := range all {
		texts = append(texts, e.Field+" "+e.Got)
	}
	return strings.Join(texts, "; ")
}

// What one payload can make the hub do is bounded.
func TestDecodersAreBounded(t *testing.T) {
	object := func(n int, member string) string {
		members := make([]string, n)
		for i := range members {
			members[i] = fmt.Sprintf(member, i)
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	got, err := DecodeTelemetry([]byte(object(maxMetrics+50, `"m%d":1`)))
	if len(got) != 1 || len(got[0].Metrics) != maxMetrics || faultsOf(t, err) != fmt.Sprintf("m%d more", maxMetrics) {
		t.Errorf("%d metrics and %v, want %d and one fault", len(got[0].Metrics), err, maxMetrics)
	}
	got, err = DecodeTelemetry([]byte(object(1000, `"m%d":"x"`)))
	var all FieldErrors
	if !errors.As(err, &all) || len(all) != maxFieldErrors || len(got) != 1 {
		t.Errorf("%d faults, want %d", len(all), maxFieldErrors)
	}
	for name, payload := range map[string]string{
		"huge":             `{"type":"` + strings.Repeat("x", maxPayload) + `"}`,
		"deep":             `{"type":` + strings.Repeat("[", 500_000),
		"deep and closed":  `{"type":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + "}",
		"deep objects":     strings.Repeat(`{"a":`, 100_000),
		"endless number":   `{"seq":` + strings.Repeat("1", 500_000) + "}",
		"endless exponent": `{"seq":1e` + strings.Repeat("9", 500_000) + "}",
	} {
		if _, err := DecodeEvent([]byte(payload)); err == nil {
			t.Errorf("%s: no error", name)
		} else if len(err.Error()) > 300 {
			t.Errorf("%s: error of %d bytes", name, len(err.Error()))
		}
	}
}

func TestDecodeStatus(t *testing.T) {
	for _, tc := range []struct {
		payload    string
		want       bool
		field, got string
	}{
		{`{"online":true}`, true, "", ""},
		{`{"online":false,"reason":"x","ts":"any"}`, false, "", ""},
		{" {\"online\" : true}\x00", true, "", ""},
		{`{"online":1}`, false, "online", "a number"},
		{`{"online":"true"}`, false, "online", "a string"},
		{`{"online":null}`, false, "online", "null"},
		{`{"online":true,"online":false}`, false, "online", "it twice"},
		{`{"online":null,"online":true}`, false, "online", "it twice"},
		{`{}`, false, "online", "nothing"},
		{``, false, "payload", "an empty one"},
		{`true`, false, "payload", "a boolean"},
		{`{"online":true`, false, "online", "the end of the payload"},
		{`{"online":true}}`, true, "", ""},
	} {
		got, err := DecodeStatus([]byte(tc.payload))
		checkFault(t, err, tc.field, tc.got)
		if got != tc.want {
			t.Errorf("%s: online %v, want %v", tc.payload, got, tc.want)
		}
	}
}

func TestDecodeCommandAck(t *testing.T) {
	for _, tc := range []struct {
		payload    string
		want       CommandAck
		field, got string
	}{
		{`{"id":"01J","result":"accepted","reason":""}`, CommandAck{"01J", "accepted", ""}, "", ""},
		{`{"id":"01J","result":"declined","reason":"忙"}`, CommandAck{"01J", "declined", "忙"}, "", ""},
		{`{"result":"expired","id":"01J","reason":null}`, CommandAck{"01J", "expired", ""}, "", ""},
		{`{"result":"unsupported","id":"01J","other":[]}`, CommandAck{"01J", "unsupported", ""}, "", ""},
		{`{"result":"accepted"}`, CommandAck{Result: "accepted"}, "id", "nothing"},
		{`{"id":"01J"}`, CommandAck{ID: "01J"}, "result", "nothing"},
		{`{"id":"01J","result":"ok"}`, CommandAck{ID: "01J", Result: "ok"}, "result", "another string"},
		{`{"id":7,"result":"accepted"}`, CommandAck{Result: "accepted"}, "id", "a number"},
		{`{"id":"01J","id":"01K","result":"accepted"}`, CommandAck{ID: "01J", Result: "accepted"}, "id", "it twice"},
		{`{"id":"01J","result":true}`, CommandAck{ID: "01J"}, "result", "a boolean"},
		{`{"id":"01J","result":"accepted","reason":1}`, CommandAck{ID: "01J", Result: "accepted"}, "", ""},
		{`[]`, CommandAck{}, "payload", "an array"},
		{``, CommandAck{}, "payload", "an empty one"},
	} {
		got, err := DecodeCommandAck([]byte(tc.payload))
		checkFault(t, err, tc.field, tc.got)
		if got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.payload, got, tc.want)
		}
	}
	long, err := DecodeCommandAck([]byte(`{"id":"01J","result":"accepted","reason":"` + strings.Repeat("忙", 100) + `"}`))
	if err != nil || long.Reason != strings.Repeat("忙", 85) {
		t.Errorf("a long reason: %d bytes, %v, want it cut between characters", len(long.Reason), err)
	}
}

func TestIdentity(t *testing.T) {
	ts, old := new(int64(1763888888123)), new(int64(3600_000))
	one, two := new(uint32(1)), new(uint32(2))
	for _, tc := range []struct {
		name string
		ev   Event
		want string
	}{
		{"boot and seq", Event{Boot: two, Seq: one, TS: ts}, "btn/b2/s1"},
		{"no boot", Event{Seq: one, TS: ts}, "btn/s1/t1763888888123"},
		{"no ts", Event{Boot: two, Seq: one}, "btn/b2/s1"},
		{"no seq", Event{Boot: two, TS: ts}, ""},
		{"seq alone", Event{Seq: one}, ""},
		{"nothing", Event{}, ""},
		{"a clock that starts anew", Event{Seq: one, TS: old}, ""},
		{"a clock that starts anew, counted", Event{Boot: two, Seq: one, TS: old}, "btn/b2/s1"},
	} {
		if got := tc.ev.Identity("btn"); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
		r := Reading{TS: tc.ev.TS, Boot: tc.ev.Boot, Seq: tc.ev.Seq}
		if got := r.Identity("btn"); got != tc.want {
			t.Errorf("%s: reading %q, want %q", tc.name, got, tc.want)
		}
	}
}

// Two messages share an identity only if they agree in what makes it up.
func TestIdentityTellsApart(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) *uint32 {
		if rapid.Bool().Draw(t, "absent") {
			return nil
		}
		return new(rapid.Uint32Range(0, 20).Draw(t, "n"))
	})
	type message struct {
		device string
		ev     Event
	}
	messages := rapid.Custom(func(t *rapid.T) message {
		m := message{device: rapid.SampledFrom([]string{"a", "a1", "b"}).Draw(t, "device")}
		m.ev = Event{Boot: number.Draw(t, "boot"), Seq: number.Draw(t, "seq")}
		if rapid.Bool().Draw(t, "timed") {
			m.ev.TS = new(EarliestMS + rapid.Int64Range(-2, 20).Draw(t, "ts"))
		}
		return m
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := messages.Draw(t, "a"), messages.Draw(t, "b")
		id := a.ev.Identity(a.device)
		if id == "" || id != b.ev.Identity(b.device) {
			return
		}
		same := func(x, y *uint32) bool { return x == y || x != nil && y != nil && *x == *y }
		if a.device != b.device || !same(a.ev.Seq, b.ev.Seq) || !same(a.ev.Boot, b.ev.Boot) ||
			a.ev.Boot == nil && *a.ev.TS != *b.ev.TS {
			t.Fatalf("%+v and %+v are both %q", a, b, id)
		}
	})
}

func TestEffectiveTime(t *testing.T) {
	const received = int64(1763888888123)
	for _, tc := range []struct {
		name string
		ts   *int64
		want int64
		bad  bool
	}{
		{"none", nil, received, false},
		{"the same moment", new(received), received, false},
		{"a day late", new(received - 86_400_000), received - 86_400_000, false},
		{"first of 2020", new(int64(1577836800000)), 1577836800000, false},
		{"before 2020", new(int64(1577836799999)), received, true},
		{"five minutes ahead", new(received + 300_000), received + 300_000, false},
		{"more than five minutes ahead", new(received + 300_001), received, true},
		{"1970", new(int64(0)), received, true},
		{"in seconds", new(received / 1000), received, true},
		{"negative", new(int64(-1)), received, true},
		{"the end of time", new(int64(math.MaxInt64)), received, true},
		{"its beginning", new(int64(math.MinInt64)), received, true},
	} {
		ms, bad := EffectiveTime(tc.ts, received*1e6+999_999)
		if ms != tc.want || bad != tc.bad {
			t.Errorf("%s: %d, %v, want %d, %v", tc.name, ms, bad, tc.want, tc.bad)
		}
	}
}

// A payload that encoding/json wrote is decoded to the same numbers.
func TestDecodeAgreesWithEncodingJSON(t *testing.T) {
	name := rapid.StringMatching(`[a-z][a-z0-9_]{0,20}`).Filter(func(s string) bool { return s != "ts" && s != "seq" && s != "boot" })
	number := rapid.Float64().Filter(func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) })
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.SliceOfN(rapid.MapOf(name, number), 1, 4).Draw(t, "readings")
		text, err := json.MarshalIndent(sent, "", rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeTelemetry(text)
		if err != nil || len(got) != len(sent) {
			t.Fatalf("%d readings, %v, want %d", len(got), err, len(sent))
		}
		for i, r := range got {
			if len(r.Metrics) != len(sent[i]) {
				t.Fatalf("reading %d has %d metrics, want %d", i, len(r.Metrics), len(sent[i]))
			}
			for j, m := range r.Metrics {
				if sent[i][m.Name] != m.Value || j > 0 && r.Metrics[j-1].Name >= m.Name {
					t.Fatalf("reading %d: metric %+v, sent %v", i, m, sent[i])
				}
			}
		}
	})
}
