package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"unicode/utf8"
)

// checkSafe checks that an error may stand in a log: short, and printable ASCII.
func checkSafe(t *testing.T, err error) {
	t.Helper()
	var fe *FieldError
	if !errors.As(err, &fe) {
		t.Fatalf("error %v (%T) is no *FieldError", err, err)
	}
	if fe.Field == "" || fe.Want == "" || fe.Got == "" {
		t.Errorf("error %q lacks something", err)
	}
	text := fe.Error()
	if len(text) > 200 {
		t.Errorf("error of %d bytes: %q", len(text), text)
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			t.Errorf("error %q is not printable ASCII", text)
			break
		}
	}
}

// trimmed is the payload without what the decoders tolerate around it.
func trimmed(p []byte) []byte {
	return bytes.TrimRight(bytes.TrimPrefix(p, []byte("\xef\xbb\xbf")), "\x00")
}

func addPayloads(f *testing.F) {
	for _, s := range []string{
		`{"type":"sos","boot":3,"seq":12,"ts":1763888888123}`, `{"ts":1,"seq":2,"battery_pct":87,"rssi_dbm":-91}`,
		`[{"a":1},{"b":true,"c":null}]`, `{"online":true}`, `{"id":"01J","result":"accepted","reason":"\u5fd9"}`,
		"", "{", "[", `{"a":NaN}`, "\xef\xbb\xbf{}\x00", `{"a":{"b":[1,{"c":"}"}]}}`, `{"a":1e999,"a":2}`, `{"\ud800":"\ud800"}`, "\xff",
		`{"a":-0.0E-0}`, `{"type":"s\u006fs"}x`,
	} {
		f.Add([]byte(s))
	}
}

func FuzzDecodeEvent(f *testing.F) {
	addPayloads(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		ev, err := DecodeEvent(p)
		if err != nil {
			checkSafe(t, err)
			return
		}
		// What is JSON, encoding/json reads the same.
		var want struct {
			Type *string  `json:"type"`
			TS   *float64 `json:"ts"`
		}
		if ev.Type == "" || !utf8.ValidString(ev.Type) {
			t.Fatalf("accepted %q as %+v", p, ev)
		}
		if json.Unmarshal(exact(trimmed(p), "type", "ts"), &want) == nil && want.Type != nil && *want.Type != ev.Type {
			t.Errorf("type %q of %q, want %q", ev.Type, p, *want.Type)
		}
		if (want.TS == nil) != (ev.TS == nil) && want.Type != nil {
			t.Errorf("ts %v of %q, want %v", ev.TS, p, want.TS)
		}
	})
}

// exact keeps the members of an object whose names are given: encoding/json would take others that differ in case.
func exact(p []byte, names ...string) []byte {
	var all, kept map[string]json.RawMessage
	if json.Unmarshal(p, &all) != nil {
		return nil
	}
	kept = map[string]json.RawMessage{}
	for _, name := range names {
		if v, ok := all[name]; ok {
			kept[name] = v
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return nil
	}
	return text
}

func FuzzDecodeTelemetry(f *testing.F) {
	addPayloads(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		readings, err := DecodeTelemetry(p)
		if err != nil {
			checkSafe(t, err)
		}
		for _, r := range readings {
			for i, m := range r.Metrics {
				if math.IsNaN(m.Value) || math.IsInf(m.Value, 0) || !validMetricName([]byte(m.Name)) {
					t.Errorf("metric %+v of %q", m, p)
				}
				if i > 0 && r.Metrics[i-1].Name >= m.Name {
					t.Errorf("metrics of %q are out of order or twice: %v", p, r.Metrics)
				}
			}
		}
		// A valid object or array of objects is never refused whole.
		if text := bytes.TrimLeft(trimmed(p), " \t\r\n"); json.Valid(text) && len(p) <= maxPayload && text[0] == '{' && len(readings) != 1 {
			t.Errorf("%d readings of %q, %v", len(readings), p, err)
		}
	})
}

func FuzzDecodeStatus(f *testing.F) {
	addPayloads(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		online, err := DecodeStatus(p)
		if err != nil {
			checkSafe(t, err)
			return
		}
		want := map[bool]string{true: "true", false: "false"}[online]
		if text := exact(trimmed(p), "online"); text != nil && !bytes.Contains(text, []byte(want)) {
			t.Errorf("online %v of %q", online, p)
		}
	})
}

func FuzzDecodeCommandAck(f *testing.F) {
	addPayloads(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		a, err := DecodeCommandAck(p)
		if err != nil {
			checkSafe(t, err)
			return
		}
		if a.ID == "" || a.Result == "" || !utf8.ValidString(a.Reason) || len(a.Reason) > maxReason {
			t.Errorf("%+v of %q", a, p)
		}
	})
}

func BenchmarkDecodeEvent(b *testing.B) {
	p := []byte(`{"type":"sos","boot":3,"seq":12,"ts":1763888888123}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		if _, err := DecodeEvent(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeTelemetry(b *testing.B) {
	for name, p := range map[string][]byte{
		"one":   []byte(`{"ts":1763888888123,"seq":7,"battery_pct":87,"rssi_dbm":-91,"temp_c":21.5}`),
		"array": []byte("[" + string(bytes.Repeat([]byte(`{"ts":1763888888123,"seq":7,"fill_wet_pct":87.5,"temp_c":21.5},`), 19)) + `{"temp_c":1}]`),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				if _, err := DecodeTelemetry(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
