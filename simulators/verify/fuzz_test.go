package verify

import (
	"bytes"
	"testing"
)

// FuzzAnswer: whatever a database answers, it is read or refused; a point has a time of its own and no tag among its values.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"results":[{"series":[{"name":"telemetry","columns":["time","area","device","temp_c"],"values":[[1767323045678000001,"a1","d",21.5]]}],"partial":true}]}`))
	f.Add([]byte(`{"results":[{"series":[{"columns":["time"],"values":[[1,2,3],[]]}]}]}{"error":"timeout"}`))
	f.Add([]byte(`{"results":[{"series":[{"columns":["time","clock_bad","x"],"values":[[1e3,1,null]]}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		points, err := readPoints(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, p := range points {
			if _, ok := p.values["time"]; ok {
				t.Fatalf("%q: a time among the values %v", text, p.values)
			}
		}
	})
}

// FuzzReadings: a payload of wh/v1 gives readings of numbers, or none.
func FuzzReadings(f *testing.F) {
	f.Add([]byte(`{"ts":1767323045678,"seq":7,"boot":1,"temp_c":21.5,"mains":true,"name":"x"}`))
	f.Add([]byte(`[{"ts":1,"a":1},{"b":null}]`))
	f.Add([]byte(`[[1]]`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, r := range readings(payload) {
			for _, name := range []string{"ts", "seq", "boot"} {
				if _, ok := r.Values[name]; ok {
					t.Fatalf("%q: %s among the values", payload, name)
				}
			}
		}
	})
}
