package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// The published wordings of a write of which only a part was stored, as 1.8 and 2.x send them; %d is the count.
var partialWrites = map[string]struct {
	status int
	text   string
}{
	"1.8, retention":       {400, `{"error":"partial write: points beyond retention policy dropped=%d"}`},
	"1.8, conflict":        {400, `{"error":"partial write: field type conflict: input field \"x_bad\" on measurement \"telemetry\" is type float, already exists as type string dropped=%d"}`},
	"1.8, series":          {400, `{"error":"partial write: max-series-per-database limit exceeded: (1000000) dropped=%d"}`},
	"1.8, tag values":      {400, `{"error":"partial write: max-values-per-tag limit exceeded (100000/100000): measurement=\"telemetry\" tag=\"device\" value=\"x\" dropped=%d"}`},
	"2.0, 500 conflict":    {500, `{"code":"internal error","message":"unexpected error writing points to database: partial write: field type conflict: input field \"x_bad\" on measurement \"telemetry\" is type float, already exists as type string dropped=%d"}`},
	"2.0, 500 retention":   {500, `{"code":"internal error","message":"unexpected error writing points to database: partial write: points beyond retention policy dropped=%d"}`},
	"2.7, retention":       {422, `{"code":"unprocessable entity","message":"failure writing points to database: partial write: points beyond retention policy dropped=%d"}`},
	"2.7, conflict":        {422, `{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict: input field \"x_bad\" on measurement \"telemetry\" is type float, already exists as type string dropped=%d"}`},
	"2.8, words behind it": {422, `{"code":"unprocessable entity","message":"failure writing points to database: partial write: dropped %[1]d points outside retention policy of duration 168h0m0s - oldest point telemetry,device=s1 at 2022-05-09T10:22:00Z dropped because it violates a Retention Policy Lower Bound at 2025-03-05T16:34:57Z dropped=%[1]d for database: 91040e1b for retention policy: autogen"}`},
	"without a count":      {400, `{"code":"invalid","message":"unable to parse 'telemetry': bad timestamp"}`},
}

// A server that stores the good points of a request and complains of the bad ones is asked few times, in whatever words it does.
func TestFewRequestsFindWhatIsRefused(t *testing.T) {
	for name, words := range partialWrites {
		for _, c := range []struct {
			bad  string
			is   func(k int) bool
			most int
		}{
			{"one of 5000", func(k int) bool { return k == 3711 }, 20},
			{"the first of 5000", func(k int) bool { return k == 0 }, 20},
			{"the last of 5000", func(k int) bool { return k == 4999 }, 20},
			{"none but three at each end", func(k int) bool { return k >= 3 && k < 4997 }, 45},
		} {
			if c.bad == "none but three at each end" && words.text == partialWrites["without a count"].text {
				continue // each of thousands has to be refused by itself
			}
			t.Run(name+", "+c.bad, func(t *testing.T) {
				s := &counting{words: words.text, status: words.status, bad: c.is}
				if d := s.deliver(t, 5000); d.accepted+len(d.refused) != 5000 {
					t.Errorf("%d stored and %d refused of 5000", d.accepted, len(d.refused))
				}
				if s.requests > c.most {
					t.Errorf("%d requests, want at most %d", s.requests, c.most)
				}
			})
		}
	}
}

// Whatever the server counts, each good point ends in an accepted request, and each bad one as refused.
func TestACountThatIsWrongLosesNothing(t *testing.T) {
	for name, text := range map[string]string{
		"one":   "partial write: points beyond retention policy dropped=1",
		"none":  "partial write: points beyond retention policy dropped=0",
		"words": "partial write: dropped=many",
	} {
		t.Run(name, func(t *testing.T) {
			s := &counting{words: text, status: 422, bad: func(k int) bool { return k%7 == 0 }}
			d := s.deliver(t, 300)
			if len(d.refused) != 43 || d.accepted != 257 {
				t.Errorf("%d stored and %d refused, want 257 and 43", d.accepted, len(d.refused))
			}
		})
	}
}

func TestWhatAServersOwnFailureIs(t *testing.T) {
	for text, want := range map[string]verdict{
		"timeout": later, "engine: cache-max-memory-size exceeded": later, "partial write": later,
		"partial write: points beyond retention policy dropped=2": refused,
	} {
		if got := judge(&influxhttp.Error{StatusCode: 500, Message: text}); got.verdict != want {
			t.Errorf("500 %q is judged %d, want %d", text, got.verdict, want)
		}
	}
}

// counting answers like a server that takes good lines of numbers k, and complains of bad ones.
type counting struct {
	status   int
	words    string
	bad      func(k int) bool
	requests int
}

func (s *counting) answer(lines string) error {
	s.requests++
	n := strings.Count(lines, "x_bad=")
	if n == 0 {
		return nil
	}
	text := s.words
	if strings.Contains(text, "%") {
		text = fmt.Sprintf(text, n)
	}
	return &influxhttp.Error{StatusCode: s.status, Message: strings.ReplaceAll(text, `\"`, `"`)}
}

// writerOf is the client's writer as far as it is used.
type writerOf struct {
	api.WriteAPIBlocking
	answer func(lines string) error
}

func (w writerOf) WriteRecord(_ context.Context, lines ...string) error {
	return w.answer(strings.Join(lines, "\n"))
}

// deliver delivers n points, and checks that those that are refused are the bad ones.
func (s *counting) deliver(t *testing.T, n int) *delivery {
	t.Helper()
	points := make([]point, n)
	for k := range points {
		e := &journal.Entry{ID: uint64(k + 1), Message: journal.Message{Device: "d"}}
		points[k] = point{device: "d", ns: int64(k), from: e}
		name := "temp_c"
		if s.bad(k) {
			name = "x_bad"
		}
		points[k].metrics = []telemetry.Metric{{Name: name, Value: 1}}
	}
	i := &Ingest{stats: &meter{}, log: slog.New(slog.DiscardHandler), limits: defaultLimits(DefaultConfig())}
	i.db = &database{writer: writerOf{answer: s.answer}, timeout: time.Minute}
	d := &delivery{i: i, lane: journal.TelemetryLane}
	if err := d.store(t.Context(), points); err != nil && !errors.Is(err, errDoubt) {
		t.Fatal(err)
	}
	for _, r := range d.refused {
		if !s.bad(int(r.p.from.ID - 1)) {
			t.Errorf("good point %d is refused: %s", r.p.from.ID-1, r.reason)
		}
	}
	return d
}
