package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchhouse/ingest/influxdb"
	"watchhouse/journal"
	"watchhouse/registry"
)

// t0 is a receive time whose every digit matters: 2026-01-02T03:04:05.678901234Z.
const t0 = int64(1767323045678901234)

const t0ms = t0 / nsPerMS

func TestReadingsComeBackWithTheirTimeAndTags(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), devices{
		"eb-1": {ID: "eb-1", Kind: "emergency_button", Area: "jw 01, 东"},
		"gw-1": {ID: "gw-1", Kind: "gateway"},
	})
	r.append(message("eb-1", t0, fmt.Sprintf(`{"ts":%d,"seq":7,"battery_pct":87,"rssi_dbm":-91}`, t0ms-5000)))
	r.append(message("eb-1", t0, fmt.Sprintf(`[{"ts":%d,"mains":true},{"ts":%d,"mains":false}]`, t0ms-3000, t0ms-3000)))
	r.append(message("gw-1", t0, `{"temp_c":21.5}`))
	r.append(message("gw-1", t0, `{"ts":12,"temp_c":-3}`))
	child := message("gw-1", t0, `[{"temp_c":1},{"temp_c":2}]`)
	child.Topic = "wh/v1/gw-1/child/sp-9/telemetry"
	r.append(child)
	r.run()
	r.drained()

	n := func(v string) any { return json.Number(v) }
	at := func(ns int64) any { return json.Number(strconv.FormatInt(ns, 10)) }
	want := [][]any{
		{at((t0ms-5000)*nsPerMS + 7), "jw 01, 东", n("87"), nil, "eb-1", "emergency_button", nil, n("-91"), nil},
		{at((t0ms-3000)*nsPerMS + 446364), "jw 01, 东", nil, nil, "eb-1", "emergency_button", n("1"), nil, nil},
		{at((t0ms-3000)*nsPerMS + 732513), "jw 01, 东", nil, nil, "eb-1", "emergency_button", n("0"), nil, nil},
		{n("1767323045678901003"), nil, nil, nil, "gw-1", "gateway", nil, nil, n("21.5")},
		{n("1767323045678901004"), nil, nil, n("1"), "gw-1", "gateway", nil, nil, n("-3")},
		{n("1767323045678901005"), nil, nil, nil, "sp-9", nil, nil, nil, n("1")},
		{n("1767323045678902005"), nil, nil, nil, "sp-9", nil, nil, nil, n("2")},
	}
	got := s.influxQL("SELECT * FROM telemetry")
	columns := []string{"time", "area", "battery_pct", "clock_bad", "device", "kind", "mains", "rssi_dbm", "temp_c"}
	if diff := cmp.Diff(columns, got.Columns); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, got.Values); diff != "" {
		t.Error(diff)
	}
	if st := r.i.Stats(); st.Written != 7 || !st.Up || st.LastError != "" || st.Undecodable+st.Refused+st.DroppedFields != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestFreshDataIsVisibleWithinASecond(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), nil)
	r.i.limits = defaultLimits(s.config())
	r.run()
	r.until("the database", func() bool { return r.i.Stats().Up })
	began := time.Now()
	r.append(message("d1", t0, `{"temp_c":1}`))
	r.until("the reading", func() bool { return s.count("temp_c") == 1 })
	if took := time.Since(began); took > time.Second {
		t.Errorf("visible after %v, want at most 1 s", took)
	}
}

// numbered gives n messages of a few devices, each with its own ts and seq, so that each is one point.
func numbered(from, n int) []journal.Message {
	ms := make([]journal.Message, 0, n)
	for k := from; k < from+n; k++ {
		ms = append(ms, message(fmt.Sprintf("d%d", k%50), t0, fmt.Sprintf(`{"ts":%d,"seq":%d,"temp_c":%d}`, t0ms-int64(k%7), k, k)))
	}
	return ms
}

func TestAnOutageLosesNothingAndDoublesNothing(t *testing.T) {
	for name, end := range map[string]func(*influxdb.Server) error{
		"stopped": (*influxdb.Server).Stop,
		"killed":  (*influxdb.Server).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := ownServer(t, influxdb.Config{NoFlux: true})
			s := storeOf(t, server)
			cfg := s.config()
			cfg.BatchSize = 300
			r := newRig(t, cfg, nil)
			r.run()
			acked := 0
			load := func(n int) {
				for range n {
					r.submit(numbered(acked, 100))
					acked += 100
				}
			}
			load(20)
			r.until("some points", func() bool { return r.i.Stats().Written > 0 })
			if err := end(server); err != nil {
				t.Fatal(err)
			}
			load(50)
			r.until("the outage to be seen", func() bool { st := r.i.Stats(); return !st.Up && st.Retries >= 3 })
			if st := r.i.Stats(); st.LagMessages == 0 || st.LastError == "" {
				t.Errorf("during the outage: %+v", st)
			}
			if err := server.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			load(20)
			r.drained()
			if got := s.count("temp_c"); got != acked {
				t.Errorf("%d points in the database, %d messages acknowledged", got, acked)
			}
			if st := r.i.Stats(); !st.Up || st.Written != uint64(acked) || st.Refused != 0 {
				t.Errorf("afterwards: %+v", st)
			}
			if n := strings.Count(r.log.String(), "does not accept"); n != 1 {
				t.Errorf("the outage was logged %d times, want once:\n%s", n, r.log)
			}
		})
	}
}

func TestARepeatedLaneOverwritesItself(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), nil)
	r.submit(numbered(0, 3000))
	for k := range 500 { // without ts: the time comes from the frame
		r.append(message("same", t0, fmt.Sprintf(`[{"hum":%d},{"hum":%d}]`, k, -k)))
	}
	stop := r.run()
	r.drained()
	if a, b := s.count("temp_c"), s.count("hum"); a != 3000 || b != 1000 {
		t.Fatalf("%d and %d points, want 3000 and 1000", a, b)
	}
	stop()
	if err := r.lane.DropCursor(context.Background(), cursorName); err != nil {
		t.Fatal(err)
	}
	again := rigOn(t, r.journal, s.config(), nil)
	again.run()
	again.drained()
	if st := again.i.Stats(); st.Written != 4000 {
		t.Errorf("the second reader wrote %d points, want all 4000", st.Written)
	}
	if a, b := s.count("temp_c"), s.count("hum"); a != 3000 || b != 1000 {
		t.Errorf("after a second pass %d and %d points, want 3000 and 1000", a, b)
	}
}

func TestACrashBetweenTheWriteAndTheCursorDoublesNothing(t *testing.T) {
	s := newStore(t, "")
	cfg := s.config()
	cfg.BatchSize = 500
	r := newRig(t, cfg, nil)
	r.submit(numbered(0, 1200))
	for k := range 100 {
		r.append(message("same", t0, fmt.Sprintf(`{"hum":%d}`, k)))
	}
	p := newPump(r.i, r.i.sources[0])
	for range 2 { // two batches are in the database, the cursor does not know
		var b batch
		if err := p.c.collect(t.Context(), &b, r.i.devices); err != nil {
			t.Fatal(err)
		}
		if err := r.i.deliver(t.Context(), p.source.name, b.points); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.count("temp_c"); got != 1000 {
		t.Fatalf("%d points before the crash, want 1000", got)
	}
	again := rigOn(t, r.journal, cfg, nil)
	again.run()
	again.drained()
	if a, b := s.count("temp_c"), s.count("hum"); a != 1200 || b != 100 {
		t.Errorf("%d and %d points, want 1200 and 100", a, b)
	}
}

func TestBigMessagesAndBatches(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), nil)
	const arrays, size = 30, 2000
	for a := range arrays {
		parts := make([]string, size)
		for k := range parts {
			parts[k] = fmt.Sprintf(`{"ts":%d,"seq":%d,"temp_c":%d,"hum":1}`, t0ms-int64(a), k, k)
		}
		r.append(message("d1", t0, "["+strings.Join(parts, ",")+"]"))
	}
	r.run()
	r.drained()
	if got := s.count("temp_c"); got != arrays*size {
		t.Errorf("%d points, want %d", got, arrays*size)
	}
}

func TestWithoutADatabaseTheLaneIsNotHeldAndLaterItIsAllWritten(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, DefaultConfig(), nil)
	if err := r.lane.SetCursor(t.Context(), cursorName, r.append(message("d1", t0, `{"ts":1,"temp_c":1}`)).Pos); err != nil {
		t.Fatal(err)
	}
	stop := r.run()
	r.until("the cursor to go", func() bool { _, held := r.lane.Cursors()[cursorName]; return !held })
	r.submit(numbered(0, 100))
	if st := r.i.Stats(); st.Up || st.LagMessages != 0 {
		t.Errorf("stats %+v", st)
	}
	stop()
	later := rigOn(t, r.journal, s.config(), nil)
	later.run()
	later.drained()
	if got := s.count("temp_c"); got != 101 {
		t.Errorf("%d points, want 101", got)
	}
}

func TestAnIdleDatabaseIsWatched(t *testing.T) {
	server := ownServer(t, influxdb.Config{NoFlux: true})
	r := newRig(t, storeOf(t, server).config(), nil)
	r.i.limits.pingEvery = 20 * time.Millisecond
	r.run()
	r.until("up", func() bool { return r.i.Stats().Up })
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	r.until("down", func() bool { return !r.i.Stats().Up })
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.until("up again", func() bool { return r.i.Stats().Up })
}

func TestTagsComeFromTheRegistry(t *testing.T) {
	s := newStore(t, "")
	j := openJournal(t, t.TempDir())
	reg, err := registry.Open(t.Context(), registry.Config{KeyFile: t.TempDir() + "/key"}, j)
	if err != nil {
		t.Fatal(err)
	}
	if err := reg.PutAreas(t.Context(), "test", []registry.Area{{ID: "jw01", Name: "一"}}); err != nil {
		t.Fatal(err)
	}
	_, err = reg.PutDevices(t.Context(), "test", []registry.Device{{ID: "eb-1", Kind: "emergency_button", Area: "jw01"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := rigOn(t, j, s.config(), nil)
	r.i.devices = func() directory { return reg.View() }
	r.append(message("eb-1", t0, `{"temp_c":1}`))
	r.run()
	r.drained()
	got := s.influxQL("SELECT temp_c, area, kind FROM telemetry").Values
	if len(got) != 1 || got[0][2] != "jw01" || got[0][3] != "emergency_button" {
		t.Errorf("%v", got)
	}
}
