package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchhouse/journal"
)

// redrive drives a letter again.
func (r *rig) redrive(n uint64) Redriven {
	r.t.Helper()
	out, err := r.i.Redrive(r.t.Context(), n)
	if err != nil {
		r.t.Fatalf("redrive %d: %v", n, err)
	}
	return out
}

// redriven lists which letters are recorded as redriven.
func (r *rig) redriven() []uint64 {
	r.t.Helper()
	records := r.deadLettersNow()
	at, err := r.i.RedrivenAt(r.t.Context(), records)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []uint64
	for _, rec := range records {
		if ms, ok := at[rec.N]; ok {
			out = append(out, rec.N)
			if age := time.Since(time.UnixMilli(ms)); age < 0 || age > time.Minute {
				r.t.Errorf("letter %d redriven %v ago", rec.N, age)
			}
		}
	}
	return out
}

// letter puts a letter into the stream as another part of the hub would, and gives its number.
func (r *rig) letter(body any) uint64 {
	r.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	stream := r.journal.Stream(DeadLetterStream)
	n := stream.Last() + 1
	stream.Add(time.Now().UnixNano(), text)
	r.until("the letter", func() bool {
		records, err := stream.List(context.Background(), n, 1)
		return err == nil && len(records) == 1
	})
	return n
}

func TestARefusedMessageIsStoredOnceTheDatabaseTakesIt(t *testing.T) {
	s := newStore(t, "")
	s.write("telemetry,device=old battery_pct=1i 1700000000000000000")
	r := newRig(t, s.config(), nil)
	r.append(message("d1", t0, `[{"ts":1700000000001,"battery_pct":5,"temp_c":6},{"ts":1700000000002,"battery_pct":7}]`))
	r.run()
	r.drained()
	r.deadLetters(1)
	if out := r.redrive(1); out.Outcome != OutcomeRefused || !strings.Contains(out.Reason, "field type conflict") || out.Points != 1 {
		t.Errorf("while the conflict lasts: %+v", out)
	}
	if done := r.redriven(); done != nil {
		t.Errorf("redriven %v, want none", done)
	}
	s.influxQL("DROP MEASUREMENT telemetry")
	for attempt := range 2 {
		if diff := cmp.Diff(Redriven{Outcome: OutcomeStored, Points: 2}, r.redrive(1)); diff != "" {
			t.Errorf("attempt %d: %s", attempt, diff)
		}
	}
	if b, c := s.count("battery_pct"), s.count("temp_c"); b != 2 || c != 1 {
		t.Errorf("%d and %d values, want 2 and 1", b, c)
	}
	if diff := cmp.Diff([]uint64{1}, r.redriven()); diff != "" {
		t.Error(diff)
	}
	r.deadLetters(1) // driving again makes no further letter
}

// TestARedriveBrokenOffBeforeItsRecordIsSafe: the points are there, the letter is still open, and doing it again changes neither
// their number nor their times.
func TestARedriveBrokenOffBeforeItsRecordIsSafe(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), nil)
	defer r.i.db.close()
	receipt := r.append(message("d1", t0, `[{"temp_c":1},{"ts":12,"temp_c":2},{"seq":4,"temp_c":3}]`))
	n := r.letter(map[string]any{"message": fmt.Sprintf("telemetry:%d", receipt.ID), "topic": "wh/v1/d1/telemetry"})
	record, err := r.i.dead.letter(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	about, err := r.i.dead.message(t.Context(), record.Body)
	if err != nil || about.entry == nil {
		t.Fatal(about.gone, err)
	}
	if out, err := r.i.again(t.Context(), about); err != nil || out.Outcome != OutcomeStored {
		t.Fatalf("%+v %v", out, err)
	}
	before := s.influxQL("SELECT * FROM telemetry")
	if done := r.redriven(); done != nil {
		t.Errorf("redriven %v, want none", done)
	}
	r.redrive(n)
	if diff := cmp.Diff(before, s.influxQL("SELECT * FROM telemetry")); diff != "" || len(before.Values) != 3 {
		t.Errorf("%d points, then %s", len(before.Values), diff)
	}
	if diff := cmp.Diff([]uint64{n}, r.redriven()); diff != "" {
		t.Error(diff)
	}
}

// letterOf is a letter about a telemetry message.
func letterOf(id uint64, received int64, payload string) DeadLetter {
	return letterFor(journal.TelemetryLane, &journal.Entry{ID: id, Message: message("d1", received, payload)}, StageDecode, "test")
}

func TestWhatADeadLetterComesTo(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), nil)
	defer r.i.db.close()
	event, err := r.journal.Lane(journal.EventLane).Append(t.Context(), journal.Message{
		Kind: journal.Publish, ReceivedNS: t0, Client: "b1", Device: "b1", Topic: "wh/v1/b1/event", Payload: []byte(`{"type":"x"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := r.append(message("d1", t0, `{"temp_c":1,"battery_pct":true}`))
	broken := r.append(message("d1", t0, `{"temp_c":1,"battery_pct":[]}`))
	nothing := r.append(message("d1", t0, `{"time":1}`))
	letter, omitted := letterOf, letterOf(999, t0, `{"temp_c":1}`)
	omitted.Payload, omitted.PayloadOmitted = nil, true
	alert := func(id uint64) map[string]any {
		return map[string]any{"message": fmt.Sprintf("event:%d", id), "topic": "wh/v1/b1/event", "device": "b1", "field": "type", "want": "a type", "got": "another"}
	}
	for name, c := range map[string]struct {
		letter  any
		outcome Outcome
		points  int
		reason  string
	}{
		"kept in the lane":          {letter(kept.ID, t0, "{}"), OutcomeStored, 1, ""},
		"kept in the letter":        {letter(998, t0, `{"temp_c":4}`), OutcomeStored, 1, ""},
		"another has its number":    {letter(kept.ID, t0+5000, `{"temp_c":4}`), OutcomeStored, 1, ""},
		"still broken in one field": {letter(broken.ID, t0, "{}"), OutcomeUndecodable, 1, "battery_pct"},
		"still no number":           {letter(nothing.ID, t0, "{}"), OutcomeUndecodable, 0, "nothing for the time series: a reserved"},
		"text":                      {letter(998, t0, "OFF"), OutcomeUndecodable, 0, "nothing for the time series: payload"},
		"no text":                   {letter(998, t0, "\xff\xfe"), OutcomeUndecodable, 0, "nothing for the time series: payload"},
		"an empty object":           {letter(998, t0, "{}"), OutcomeUndecodable, 0, "it holds no number"},
		"null":                      {letter(998, t0, "null"), OutcomeUndecodable, 0, "nothing for the time series: payload"},
		"too long for the letter":   {omitted, OutcomeGone, 0, "no longer holds"},
		"a gap":                     {DeadLetter{Stage: StageJournal, ID: 3, LastID: 9}, OutcomeGone, 0, "could not read"},
		"an alert's":                {alert(event.ID), OutcomeUndecodable, 0, "calls are the alert engine's"},
		"an alert's, purged":        {alert(event.ID + 1), OutcomeGone, 0, "no longer holds"},
		"an alert's, broken":        {map[string]any{"message": "event:x"}, OutcomeGone, 0, "no longer holds"},
		"of no lane":                {map[string]any{"message": "side:1"}, OutcomeGone, 0, "names no lane"},
		"foreign":                   {[]int{1}, OutcomeGone, 0, "not one of this hub's"},
	} {
		out := r.redrive(r.letter(c.letter))
		if out.Outcome != c.outcome || out.Points != c.points || !strings.Contains(out.Reason, c.reason) || (out.Reason == "") != (c.reason == "") {
			t.Errorf("%s: %+v, want %v, %d points, %q", name, out, c.outcome, c.points, c.reason)
		}
	}
	if got := s.count("temp_c"); got != 4 {
		t.Errorf("%d points, want 4", got)
	}
}

func TestRedriveSaysWhatIsWrong(t *testing.T) {
	s := newScripted(t, status(http.StatusServiceUnavailable), status(http.StatusUnauthorized))
	r := newRig(t, s.config(), nil)
	defer r.i.db.close()
	n := r.letter(letterOf(7, t0, `{"temp_c":1}`))
	for _, want := range []string{"status 503", "status 401"} {
		if _, err := r.i.Redrive(t.Context(), 1); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want ErrUnavailable with %s", err, want)
		}
	}
	if done := r.redriven(); done != nil {
		t.Errorf("redriven %v, want none", done)
	}
	for _, absent := range []uint64{0, n + 1} {
		if _, err := r.i.Redrive(t.Context(), absent); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("letter %d: %v, want ErrNotFound", absent, err)
		}
	}
	without := newRig(t, DefaultConfig(), nil)
	if _, err := without.i.Redrive(t.Context(), 1); !errors.Is(err, ErrNotConfigured) {
		t.Errorf("without a database: %v, want ErrNotConfigured", err)
	}
}

// TestNotesOfLettersThatAreGoneAreForgotten, and a note does not speak for another letter of the same number.
func TestNotesOfLettersThatAreGoneAreForgotten(t *testing.T) {
	r := newRig(t, newScripted(t).config(), nil)
	defer r.i.db.close()
	if err := r.i.dead.done.Put(t.Context(), noteKey(0), []byte(`{"at":1}`)); err != nil {
		t.Fatal(err)
	}
	n := r.letter(letterOf(7, t0, `{"temp_c":1}`))
	if err := r.i.dead.done.Put(t.Context(), noteKey(n), []byte(`{"at":1,"letter_ns":2}`)); err != nil {
		t.Fatal(err)
	}
	if done := r.redriven(); done != nil {
		t.Errorf("redriven %v, want none", done)
	}
	r.redrive(n)
	keys, err := r.i.dead.done.Keys(t.Context())
	if diff := cmp.Diff([]string{noteKey(n)}, keys); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestALetterGivesItsPayloadBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		payload := rapid.OneOf(
			rapid.SliceOf(rapid.Byte()), rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }),
			rapid.SampledFrom([][]byte{[]byte("{\"a\":\"\xb1\xb1\"}"), []byte(`null`), []byte(`"a"`), []byte(`{"a":"<&>"}`), []byte(`1`), []byte("\ufffd")}),
		).Draw(rt, "payload")
		text, err := json.Marshal(letterFor(journal.TelemetryLane, &journal.Entry{Message: journal.Message{Payload: payload}}, StageDecode, ""))
		if err != nil {
			rt.Fatal(err)
		}
		if !utf8.Valid(text) {
			rt.Fatalf("the letter of %q is not UTF-8: %q", payload, text)
		}
		var back DeadLetter
		if err := json.Unmarshal(text, &back); err != nil {
			rt.Fatal(err)
		}
		got, ok := back.payload()
		if !ok || !sameMeaning(payload, got) {
			rt.Fatalf("%q came back as %q", payload, got)
		}
	})
}

// sameMeaning: equal bytes, or equal JSON, which a letter holds as JSON.
func sameMeaning(a, b []byte) bool {
	if !json.Valid(a) {
		return string(a) == string(b)
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && cmp.Equal(x, y)
}
