package verify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchhouse/ingest/influxdb"
	"watchhouse/simulators/device"
	"watchhouse/telemetry"
)

const tsMS = int64(1767323045678) // 2026-01-02

// reading is a telemetry message of wh/v1; ts 0 leaves it out.
func reading(dev string, ts int64, seq int, fields string) device.Message {
	text := fmt.Sprintf(`{"seq":%d,%s}`, seq, fields)
	if ts != 0 {
		text = fmt.Sprintf(`{"ts":%d,%s`, ts, text[1:])
	}
	return device.Message{Device: dev, Channel: telemetry.ChannelTelemetry, TS: ts, Payload: []byte(text)}
}

// at is a line of the database.
func at(dev string, ns int64, fields string) string {
	return fmt.Sprintf("telemetry,area=a1,device=%s %s %d", dev, fields, ns)
}

// times books a message as sent and acknowledged so often.
func times(m device.Message, sent, acked int) func(*Ledger) {
	return func(l *Ledger) {
		for range sent {
			l.Sent(m)
		}
		for range acked {
			l.Acked(m, time.Now())
		}
	}
}

// The verdicts on what a real InfluxDB holds.
func TestPointsInInfluxDB(t *testing.T) {
	const ns = tsMS * 1_000_000
	now := time.Now().Add(time.Minute).UnixNano() // surely not before what the cases send
	array := device.Message{
		Device: "d", Channel: telemetry.ChannelTelemetry,
		Payload: fmt.Appendf(nil, `[{"ts":%d,"mains":true},{"ts":%d,"mains":false}]`, tsMS, tsMS),
	}
	foreign := device.Message{
		Device: "d", Channel: telemetry.ChannelTelemetry, Payload: []byte(`{"object":{"battery":90}}`),
		Said: []device.Reading{{Values: map[string]float64{"battery_pct": 90}}},
	}
	r1, r2 := reading("d", tsMS, 1, `"temp_c":21.5`), reading("d", tsMS, 2, `"temp_c":21.5`)
	cases := []struct {
		name  string
		books []func(*Ledger)
		lines []string
		want  string
	}{
		{
			"all well",
			[]func(*Ledger){times(r1, 1, 1), times(r2, 1, 1)},
			[]string{at("d", ns+1, "temp_c=21.5"), at("d", ns+2, "temp_c=21.5")},
			"acked 2, stored 2, missing 0, doubled 0, foreign 0, redelivered 0",
		},
		{
			"of two that say the same, one without an ack must not take what the other is owed",
			[]func(*Ledger){times(reading("d", 0, 1, `"temp_c":1`), 3, 1), times(reading("d", 0, 2, `"temp_c":1`), 3, 1), times(reading("d", 0, 3, `"temp_c":1`), 3, 1)},
			[]string{at("d", now+1, "temp_c=1"), at("d", now+2, "temp_c=1"), at("d", now+3, "temp_c=1")},
			"acked 3, stored 3, missing 0, doubled 0, foreign 0, redelivered 0",
		},
		{
			"sent twice, stored once",
			[]func(*Ledger){times(r1, 2, 2)},
			[]string{at("d", ns+1, "temp_c=21.5")},
			"acked 1, stored 1, missing 0, doubled 0, foreign 0, redelivered 0",
		},
		{
			"missing",
			[]func(*Ledger){times(r1, 1, 1), times(r2, 1, 1)},
			[]string{at("d", ns+1, "temp_c=21.5")},
			"acked 2, stored 1, missing 1, doubled 0, foreign 0, redelivered 0",
		},
		{
			"another value",
			[]func(*Ledger){times(r1, 1, 1)},
			[]string{at("d", ns+1, "temp_c=22")},
			"acked 1, stored 0, missing 1, doubled 0, foreign 0, redelivered 0",
		},
		{
			"of an earlier run",
			[]func(*Ledger){times(foreign, 1, 1)},
			[]string{at("d", now-int64(time.Hour), "battery_pct=90"), at("d", now, "battery_pct=90")},
			"acked 1, stored 1, missing 0, doubled 0, foreign 0, redelivered 0",
		},
		{
			"of nobody",
			[]func(*Ledger){times(r1, 1, 1)},
			[]string{at("d", ns+1, "temp_c=21.5"), at("d", now, "temp_c=21.5")},
			"acked 1, stored 2, missing 0, doubled 0, foreign 1, redelivered 0",
		},
		{
			"another time",
			[]func(*Ledger){times(r1, 1, 1)},
			[]string{at("d", ns+1_000_000, "temp_c=21.5")},
			"acked 1, stored 0, missing 1, doubled 0, foreign 0, redelivered 0",
		},
		{
			"doubled",
			[]func(*Ledger){times(r1, 1, 1)},
			[]string{at("d", ns+1, "temp_c=21.5"), at("d", ns+9, "temp_c=21.5")},
			"acked 1, stored 2, missing 0, doubled 1, foreign 0, redelivered 0",
		},
		{
			"under two tags",
			[]func(*Ledger){times(r1, 1, 1)},
			[]string{at("d", ns+1, "temp_c=21.5"), "telemetry,area=a2,device=d temp_c=21.5 " + fmt.Sprint(ns+1)},
			"acked 1, stored 2, missing 0, doubled 1, foreign 0, redelivered 0",
		},
		{
			"unacknowledged may be lost",
			[]func(*Ledger){times(r1, 1, 0)},
			nil,
			"acked 0, stored 0, missing 0, doubled 0, foreign 0, redelivered 0",
		},
		{
			"array",
			[]func(*Ledger){times(array, 1, 1)},
			[]string{at("d", ns, "mains=1"), at("d", ns+1, "mains=0")},
			"acked 2, stored 2, missing 0, doubled 0, foreign 0, redelivered 0",
		},
		{
			"a clock of 1970",
			[]func(*Ledger){times(reading("d", 12, 1, `"temp_c":3`), 1, 1)},
			[]string{at("d", now, "temp_c=3,clock_bad=1")},
			"acked 1, stored 1, missing 0, doubled 0, foreign 0, redelivered 0",
		},
		{
			"a clock of 1970 and no mark",
			[]func(*Ledger){times(reading("d", 12, 1, `"temp_c":3`), 1, 1)},
			[]string{at("d", now, "temp_c=3")},
			"acked 1, stored 1, missing 1, doubled 0, foreign 1, redelivered 0",
		},
		{
			"no time, redelivered",
			[]func(*Ledger){times(foreign, 2, 1)},
			[]string{at("d", now, "battery_pct=90,rssi_dbm=-80"), at("d", now+1000, "battery_pct=90")},
			"acked 1, stored 2, missing 0, doubled 0, foreign 0, redelivered 1",
		},
		{
			"no time, doubled",
			[]func(*Ledger){times(foreign, 1, 1)},
			[]string{at("d", now, "battery_pct=90"), at("d", now+1000, "battery_pct=90")},
			"acked 1, stored 2, missing 0, doubled 1, foreign 0, redelivered 0",
		},
		{
			"others are left out", nil,
			[]string{at("x", ns, "temp_c=1")},
			"acked 0, stored 0, missing 0, doubled 0, foreign 0, redelivered 0",
		},
	}
	server := startInfluxDB(t)
	for n, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			db := InfluxDB{URL: server, Bucket: fmt.Sprintf("case%d/autogen", n)}
			fill(t, db, c.lines)
			l := NewLedger()
			for _, book := range c.books {
				book(l)
			}
			var file bytes.Buffer // the account is the same after it was saved and loaded
			if err := l.Write(&file); err != nil {
				t.Fatal(err)
			}
			l, err := Read(&file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := l.InfluxDB(t.Context(), db)
			if first, _, _ := strings.Cut(r.String(), "\n"); err != nil || first != c.want {
				t.Errorf("have %v, %v, want %s", r, err, c.want)
			}
		})
	}
}

func startInfluxDB(t *testing.T) string {
	t.Helper()
	binary, err := influxdb.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := influxdb.StartConfig(t.Context(), influxdb.Config{Bin: binary, Dir: t.TempDir(), NoFlux: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Kill(); err != nil {
			t.Error(err)
		}
	})
	return server.URL()
}

// fill makes the database and writes lines to it.
func fill(t *testing.T, db InfluxDB, lines []string) {
	t.Helper()
	name, _, _ := strings.Cut(db.Bucket, "/")
	post(t, db.URL+"/query?q="+url.QueryEscape("CREATE DATABASE "+name), "")
	post(t, db.URL+"/write?precision=ns&db="+name, strings.Join(lines, "\n"))
}

func post(t *testing.T, address, body string) {
	t.Helper()
	answer, err := http.Post(address, "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 || bytes.Contains(text, []byte(`"error"`)) {
		t.Fatalf("%s: %s, %s, %v", address, answer.Status, text, err)
	}
}

// A database that answers with an error, or with none, is an error and never a verdict.
func TestADatabaseThatFailsIsAnError(t *testing.T) {
	l := booked(reading("d", tsMS, 1, `"temp_c":1`))
	for name, answer := range map[string]http.HandlerFunc{
		"401 Unauthorized": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"database not found": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"results":[{"error":"database not found"}]}`)
		},
		"max-select":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"results":[]}{"error":"max-select"}`) },
		"unexpected EOF": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"results":[{"series":[`) },
		"invalid syntax": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"results":[{"series":[{"columns":["time"],"values":[[1.5]]}]}]}`)
		},
		"verify: InfluxDB: d:": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		server := httptest.NewServer(answer)
		if r, err := l.InfluxDB(t.Context(), InfluxDB{URL: server.URL, Bucket: "b"}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: have %v, %v", name, r, err)
		}
		server.Close()
	}
}

// While the hub still writes, a comparison is made again; when time is up, what is missing then is missing.
func TestSettlingWaitsForTheHub(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			fmt.Fprint(w, `{"results":[{}]}`)
			return
		}
		fmt.Fprintf(w, `{"results":[{"series":[{"columns":["time","temp_c"],"values":[[%d,1]]}]}]}`, tsMS*1_000_000+1)
	}))
	defer server.Close()
	db := InfluxDB{URL: server.URL, Bucket: "b", Token: "u:p"}
	r, err := booked(reading("d", tsMS, 1, `"temp_c":1`)).InfluxDBSettled(t.Context(), db, time.Millisecond)
	if err != nil || !r.OK() || asked != 3 {
		t.Errorf("after %d looks: %v, %v", asked, r, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	r, err = booked(reading("d", tsMS, 2, `"temp_c":2`)).InfluxDBSettled(ended, db, time.Hour)
	if err != nil || len(r.Missing) != 1 {
		t.Errorf("at the end: %v, %v", r, err)
	}
}

// Whatever was lost or stored twice: the counts are exactly that, though milliseconds repeat.
func TestCountsOfPointsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var readings []*wanted
		var points []*point
		missing, doubled := 0, 0
		for seq := range rapid.IntRange(0, 12).Draw(t, "readings") {
			ts := tsMS + rapid.Int64Range(0, 2).Draw(t, "ms")
			values := map[string]float64{"temp_c": float64(rapid.IntRange(0, 1).Draw(t, "value")), "seq_pct": float64(seq)}
			readings = append(readings, &wanted{line: &line{Sent: 1, Acked: 1}, TS: ts, Values: values})
			copies := rapid.IntRange(0, 3).Draw(t, "copies")
			for c := range copies {
				points = append(points, &point{ns: ts*1_000_000 + int64(100*c+seq), values: values})
			}
			missing += max(0, 1-copies)
			doubled += max(0, copies-1)
		}
		var r Result
		r.match("d", readings, rapid.Permutation(points).Draw(t, "order"), time.UnixMilli(tsMS))
		if len(r.Missing) != missing || len(r.Doubled) != doubled || len(r.Foreign) != 0 || r.Acked != len(readings) || r.Kept != len(points) {
			t.Fatalf("have %v, want %d missing and %d doubled", r, missing, doubled)
		}
	})
}
