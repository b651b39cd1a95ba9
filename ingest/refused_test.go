package ingest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchhouse/ingest/influxdb"
	"watchhouse/journal"
)

func TestAConflictingFieldIsTakenOutAndTheRestStored(t *testing.T) {
	s := newStore(t, "")
	s.write("telemetry,device=old battery_pct=1i 1700000000000000000")
	r := newRig(t, s.config(), nil)
	for k := range 40 {
		r.append(message("d1", t0, fmt.Sprintf(`{"ts":%d,"battery_pct":%d,"temp_c":2}`, t0ms-int64(k), k)))
	}
	r.append(message("d2", t0, fmt.Sprintf(`{"ts":%d,"battery_pct":3}`, t0ms)))
	r.append(message("d3", t0, fmt.Sprintf(`{"ts":%d,"temp_c":4}`, t0ms)))
	r.run()
	r.drained()
	// In a shard of its own the field is free to be a float there; where the integer lies it never is.
	if got := s.count("temp_c"); got != 41 {
		t.Errorf("%d temperatures, want 41", got)
	}
	checkConflicts(t, s, r)
}

// checkConflicts writes into the very shard of the integer, where the conflict cannot be avoided.
func checkConflicts(t *testing.T, s store, r *rig) {
	t.Helper()
	before := len(r.deadLettersNow())
	r.append(message("d4", t0, `[{"ts":1700000000001,"battery_pct":5,"temp_c":6},{"ts":1700000000002,"battery_pct":7}]`))
	r.drained()
	letters := r.deadLetters(before + 1)
	got := letters[before]
	if got.Stage != StageStore || !strings.Contains(got.Reason, "field type conflict") || got.Device != "d4" ||
		!cmp.Equal(got.Metrics, []string{"battery_pct"}) || !cmp.Equal(got.Readings, []int{0, 1}) {
		t.Errorf("dead letter %+v", got)
	}
	if s.count("temp_c") != 42 {
		t.Error("the temperature beside the conflicting field is missing")
	}
	if st := r.i.Stats(); st.Refused < 2 || !st.Up || st.LagMessages != 0 {
		t.Errorf("stats %+v", st)
	}
}

func (r *rig) deadLettersNow() []journal.Record {
	r.t.Helper()
	records, err := r.journal.Stream(DeadLetterStream).List(context.Background(), 1, 10_000)
	if err != nil {
		r.t.Fatal(err)
	}
	return records
}

func TestPointsBeyondTheRetentionBecomeDeadLettersAndOthersAreStored(t *testing.T) {
	s := newStore(t, "2h")
	r := newRig(t, s.config(), nil)
	now := time.Now()
	const n, old = 300, 9
	for k := range n {
		ts := now.UnixMilli() - int64(k)
		if k%(n/old) == 1 && k < n-10 {
			ts -= (50 * time.Hour).Milliseconds()
		}
		r.append(message("d1", now.UnixNano(), fmt.Sprintf(`{"ts":%d,"temp_c":%d}`, ts, k)))
	}
	r.run()
	r.drained()
	if got := s.count("temp_c"); got != n-old {
		t.Errorf("%d points, want %d", got, n-old)
	}
	for _, d := range r.deadLetters(old) {
		if d.Stage != StageStore || !strings.Contains(d.Reason, "retention policy") {
			t.Errorf("dead letter %+v", d)
		}
	}
}

func TestABatchTooLargeForTheServerIsDivided(t *testing.T) {
	server := ownServer(t, influxdb.Config{NoFlux: true, MaxBodyBytes: 600})
	s := storeOf(t, server)
	r := newRig(t, s.config(), nil)
	r.submit(numbered(0, 400))
	var wide strings.Builder // 200 names that do not compress to 600 bytes
	for k := range 100 {
		fmt.Fprintf(&wide, `,"m%x":%d.%d`, uint32(k*2654435761), k*7919, k*104729)
	}
	r.append(message("wide", t0, fmt.Sprintf(`{"ts":%d%s}`, t0ms, wide.String())))
	r.submit(numbered(400, 10))
	r.run()
	r.drained()
	if got := s.count("temp_c"); got != 410 {
		t.Errorf("%d points, want 410", got)
	}
	if d := r.deadLetters(1)[0]; d.Device != "wide" || d.Reason != "too large for the server" {
		t.Errorf("dead letter %+v", d)
	}
}

func TestWhatCannotBeDecodedBecomesADeadLetterAndTheRestIsStored(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), nil)
	other := func(topic string) journal.Message {
		m := message("d1", t0, `{"temp_c":1}`)
		m.Topic = topic
		return m
	}
	for _, m := range []journal.Message{
		message("d1", t0, `{"temp_c":`),
		message("d1", t0, ""),
		message("d1", t0, "\xff\x00\x01"),
		message("d1", t0, `{"temp_c":"warm","hum":40}`),
		message("d1", t0, `{"time":1,"clock_bad":1,"device":2,"hum":41}`),
		message("d1", t0, `{"a b\n,c=d":1,"hum":42}`),
		message("d1", t0, `{"temp_c":1e999,"hum":43}`),
		message("d1", t0, `{"`+strings.Repeat("x", 70_000)+`":1,"hum":44}`),
		other("application/1/device/2/event/up"),
		other("wh/v1/d1/event"),
		message("d1", t0, `{"hum":45}`),
	} {
		r.append(m)
	}
	r.run()
	r.drained()
	letters := r.deadLetters(10)
	for n, want := range []string{
		StageDecode, StageDecode, StageDecode, StageDecode, StagePoint,
		StageDecode, StageDecode, StageDecode, StageDecode, StageDecode,
	} {
		if letters[n].Stage != want || letters[n].Reason == "" || letters[n].Position == "" {
			t.Errorf("letter %d: %+v, want stage %s", n, letters[n], want)
		}
	}
	if string(letters[2].Binary) != "\xff\x00\x01" || string(letters[1].Payload) != `""` {
		t.Errorf("payloads %s %q", letters[1].Payload, letters[2].Binary)
	}
	if !cmp.Equal(letters[4].Metrics, []string{"clock_bad", "device", "time"}) {
		t.Errorf("dropped %v", letters[4].Metrics)
	}
	if !letters[7].PayloadOmitted {
		t.Error("a letter longer than a frame kept its payload")
	}
	if got := s.count("hum"); got != 6 {
		t.Errorf("%d numbers beside the faulty ones, want 6", got)
	}
	if st := r.i.Stats(); st.Undecodable != 9 || st.DroppedFields != 3 {
		t.Errorf("stats %+v", st)
	}
}

func TestOneDeviceCannotMakeColumnsWithoutEnd(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), nil)
	for k := range 2 * maxFieldsPerDevice {
		r.append(message("bad", t0, fmt.Sprintf(`{"ts":%d,"m%d":1}`, t0ms, k)))
	}
	r.append(message("good", t0, fmt.Sprintf(`{"ts":%d,"temp_c":1}`, t0ms)))
	r.run()
	r.drained()
	if got := len(s.influxQL("SHOW FIELD KEYS").Values); got != maxFieldsPerDevice+1 {
		t.Errorf("%d fields, want %d", got, maxFieldsPerDevice+1)
	}
	if st := r.i.Stats(); st.DroppedFields != maxFieldsPerDevice {
		t.Errorf("stats %+v", st)
	}
}
