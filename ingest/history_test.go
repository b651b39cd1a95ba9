package ingest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchhouse/ingest/influxdb"
)

// base is a whole number of days since 1970.
var base = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return base.Add(d) }

// line is one value of a device at a time after base.
func line(tags, field string, v float64, d time.Duration) string {
	return fmt.Sprintf("telemetry,%s %s=%v %d\n", tags, field, v, at(d).UnixNano())
}

func TestSeriesGivesWindowsWithGaps(t *testing.T) {
	s := newStore(t, "")
	s.write(line("device=d1,kind=garage", "temp_c", 10, 0) +
		line("device=d1,kind=garage", "temp_c", 20, 20*time.Second) +
		line("device=d1,kind=garage", "temp_c", -6, 59*time.Second) +
		line("device=d1,kind=garage,area=a", "temp_c", 5, 3*time.Minute) + // moved: another series of the database
		line("device=d1,kind=garage", "temp_c", 7, 3*time.Minute+time.Second) +
		line("device=d1,kind=garage", "hum", 99, time.Second) +
		line("device=d2,kind=garage", "temp_c", 99, time.Second) +
		line("device=d1,kind=garage", "temp_c", 99, -time.Second) +
		line("device=d1,kind=garage", "temp_c", 99, 5*time.Minute))
	r := newRig(t, s.config(), nil)
	defer r.i.db.close()
	got, err := r.i.Series(t.Context(), Query{"d1", "temp_c", at(time.Second), at(4*time.Minute + 1), time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	want := []Point{
		{at(0).UnixMilli(), -6, 20, 8, 3, false},
		{at(3 * time.Minute).UnixMilli(), 5, 7, 6, 2, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	none, err := r.i.Series(t.Context(), Query{"d1", "never_sent", at(0), at(time.Hour), 0})
	if err != nil || none == nil || len(none) != 0 {
		t.Errorf("an unknown metric: %v, %v; want an empty list", none, err)
	}
}

func TestAWindowSaysThatAReadingWasLate(t *testing.T) {
	s := newStore(t, "")
	r := newRig(t, s.config(), devices{"d1": {ID: "d1", ReportInterval: time.Minute}})
	for _, m := range []struct {
		metric  string
		minute  time.Duration
		arrived time.Duration
	}{{"temp_c", 0, 0}, {"temp_c", 1, 20}, {"hum", 2, 20}, {"temp_c", 3, 10}, {"temp_c", 4, 5}, {"hum", 4, 15}} {
		ts := at(m.minute * time.Minute)
		r.append(message("d1", ts.Add(m.arrived*time.Minute).UnixNano(), fmt.Sprintf(`{"ts":%d,%q:1}`, ts.UnixMilli(), m.metric)))
	}
	r.run()
	r.drained()
	got, err := r.i.Series(t.Context(), Query{"d1", "temp_c", at(0), at(time.Hour), time.Minute})
	window := func(minute time.Duration, late bool) Point {
		return Point{at(minute * time.Minute).UnixMilli(), 1, 1, 1, 1, late}
	}
	want := []Point{window(0, false), window(1, true), window(3, false), window(4, true)} // in 4 another metric was
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestMetricsListsWhatADeviceSent(t *testing.T) {
	s := newStore(t, "")
	now := time.Since(base)
	s.write(line("device=d1", "temp_c", 1, now) + line("device=d1,area=a", "hum", 1, now-29*24*time.Hour) +
		line("device=d1", "clock_bad", 1, now) + line("device=d1", "late_s", 900, now) + line("device=d1", "temp_c", 2, now-time.Hour) +
		line("device=d1", "ancient", 1, now-31*24*time.Hour) + line("device=d2", "other", 1, now))
	r := newRig(t, s.config(), nil)
	defer r.i.db.close()
	got, err := r.i.Metrics(t.Context(), "d1")
	if diff := cmp.Diff([]string{"hum", "temp_c"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got, err := r.i.Metrics(t.Context(), "d9"); err != nil || len(got) != 0 {
		t.Errorf("an unknown device: %v, %v", got, err)
	}
	if _, err := r.i.Metrics(t.Context(), `d1" or true`); !errors.Is(err, ErrInvalid) {
		t.Errorf("error %v, want ErrInvalid", err)
	}
}

func TestSeriesRefusesWhatCannotBeAnswered(t *testing.T) {
	r := newRig(t, newStore(t, "").config(), nil)
	defer r.i.db.close()
	good := Query{"d1", "temp_c", at(0), at(time.Hour), 0}
	for name, change := range map[string]func(*Query){
		"no device":        func(q *Query) { q.Device = "" },
		"device injection": func(q *Query) { q.Device = `d1" or r.device != "` },
		"no metric":        func(q *Query) { q.Metric = "" },
		"control":          func(q *Query) { q.Metric = "a\nb" },
		"internal":         func(q *Query) { q.Metric = "_start" },
		"no time":          func(q *Query) { q.To = q.From },
		"backwards":        func(q *Query) { q.To = at(-time.Hour) },
		"before 1970":      func(q *Query) { q.From = time.Unix(-1, 0) },
		"far future":       func(q *Query) { q.To = time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC) },
		"negative every":   func(q *Query) { q.Every = -time.Second },
		"tiny every":       func(q *Query) { q.Every = time.Millisecond },
		"too many windows": func(q *Query) { q.To, q.Every = at(30*24*time.Hour), time.Second },
	} {
		q := good
		change(&q)
		if _, err := r.i.Series(t.Context(), q); !errors.Is(err, ErrInvalid) || errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: error %v, want ErrInvalid", name, err)
		}
	}
	if _, err := r.i.Series(t.Context(), good); err != nil {
		t.Errorf("the question the others were made from: %v", err)
	}
}

// TestHostileNamesAreOnlyNames: the real InfluxQL takes every string as the string it is.
func TestHostileNamesAreOnlyNames(t *testing.T) {
	s := newStore(t, "")
	names := []string{
		`a" or true or r._field == "b`, `a\`, `a\b`, "${1 + 1}", `\x41`, "温度", "a b,c=d", `"; DROP DATABASE x; --`, "'; DROP DATABASE x", `\\x`, `a"::field`, "$x", "{}", "time()",
	}
	var lines strings.Builder
	for n, name := range names {
		name = strings.TrimSuffix(name, `\`)
		escaped := strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `).Replace(name)
		lines.WriteString(line("device=d1", escaped, float64(n), time.Duration(n)*time.Second))
	}
	s.write(lines.String())
	r := newRig(t, s.config(), nil)
	defer r.i.db.close()
	for n, name := range names {
		name = strings.TrimSuffix(name, `\`)
		got, err := r.i.Series(t.Context(), Query{"d1", name, at(0), at(time.Hour), time.Hour})
		want := []Point{{at(0).UnixMilli(), float64(n), float64(n), float64(n), 1, false}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %s %v", name, diff, err)
		}
	}
}

// TestNothingInAQuoteEndsIt, by the rules of InfluxQL's scanner: it knows the escapes of the mark, the backslash and the newline.
func TestNothingInAQuoteEndsIt(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`["'\\\n\x00a]*`)).Draw(rt, "s")
		for mark, quoted := range map[string]string{`"`: quoteName(s), `'`: quoteText(s)} {
			inner := strings.TrimSuffix(strings.TrimPrefix(quoted, mark), mark)
			if len(inner) != len(quoted)-2 {
				rt.Fatalf("%s has no marks", quoted)
			}
			if rest := strings.NewReplacer(`\\`, "", `\`+mark, "", `\n`, "").Replace(inner); strings.ContainsAny(rest, mark+"\\\n") {
				rt.Fatalf("%s holds a bare sign", quoted)
			}
			if back := strings.NewReplacer(`\\`, `\`, `\`+mark, mark, `\n`, "\n").Replace(inner); back != s {
				rt.Fatalf("%q came back as %q", s, back)
			}
		}
	})
}

func TestWindowsCoverTheRangeAndAreFewEnough(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		from := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(rt, "from"))
		span := time.Duration(rapid.Int64Range(1, int64(60*365*24*time.Hour)).Draw(rt, "span"))
		q := Query{Device: "d", Metric: "m", From: from, To: from.Add(span)}
		w, err := q.window()
		if err != nil {
			rt.Fatal(err)
		}
		if w.from.After(q.From) || w.to.Before(q.To) || q.From.Sub(w.from) >= w.every || w.to.Sub(q.To) >= w.every {
			rt.Fatalf("%v to %v by %v does not fit %v to %v", w.from, w.to, w.every, q.From, q.To)
		}
		if w.from.UnixMilli()%w.every.Milliseconds() != 0 || w.to.UnixMilli()%w.every.Milliseconds() != 0 {
			rt.Fatalf("%v to %v is not aligned to %v", w.from, w.to, w.every)
		}
		if n := w.to.Sub(w.from) / w.every; n > chosenWindows+1 {
			rt.Fatalf("%d windows", n)
		}
		next := w.from
		for _, part := range w.parts() {
			if part.from != next || !part.to.After(part.from) || part.every != w.every || part.to.UnixMilli()%w.every.Milliseconds() != 0 {
				rt.Fatalf("%v is cut into %v", w, w.parts())
			}
			next = part.to
		}
		if next != w.to {
			rt.Fatalf("%v is cut into %v", w, w.parts())
		}
	})
}

func TestHistoryIsUnavailableSoonAndByThatName(t *testing.T) {
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that the client is gone
		<-r.Context().Done()
	}))
	defer hangs.Close()
	refuses := httptest.NewServer(status(http.StatusUnauthorized))
	defer refuses.Close()
	babbles := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>sign, in</html>\n") }))
	defer babbles.Close()
	stopped := ownServer(t, influxdb.Config{NoFlux: true})
	if err := stopped.Stop(); err != nil {
		t.Fatal(err)
	}
	for name, url := range map[string]string{
		"hangs": hangs.URL, "refuses": refuses.URL, "babbles": babbles.URL, "stopped": stopped.URL(), "none": "",
	} {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.URL = url
			r := newRig(t, cfg, nil)
			if r.i.db != nil {
				defer r.i.db.close()
			}
			r.i.limits.query = 100 * time.Millisecond
			began := time.Now()
			if _, err := r.i.Series(t.Context(), Query{"d1", "temp_c", at(0), at(time.Hour), 0}); !errors.Is(err, ErrUnavailable) {
				t.Errorf("Series: %v, want ErrUnavailable", err)
			}
			if _, err := r.i.Metrics(t.Context(), "d1"); !errors.Is(err, ErrUnavailable) {
				t.Errorf("Metrics: %v, want ErrUnavailable", err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("answered after %v", took)
			}
		})
	}
}

func TestAYearOfADeviceIsAChart(t *testing.T) {
	s := newStore(t, "")
	const step, year = 5 * time.Minute, 365 * 24 * time.Hour
	var lines strings.Builder
	for d := time.Duration(0); d < year; d += step {
		fmt.Fprintf(&lines, "telemetry,device=d1 temp_c=%d %d\n", d/step%100, at(d).UnixNano())
	}
	s.write(lines.String())
	r := newRig(t, s.config(), nil)
	defer r.i.db.close()
	began := time.Now()
	got, err := r.i.Series(t.Context(), Query{"d1", "temp_c", at(0), at(year), 0})
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for n, p := range got {
		if total += p.N; n > 0 && p.TS != got[n-1].TS+(12*time.Hour).Milliseconds() {
			t.Errorf("window %d begins at %v, the one before at %v", n, p.TS, got[n-1].TS)
		}
	}
	if total != int(year/step) || len(got) < 300 || len(got) > chosenWindows {
		t.Errorf("%d windows of %d readings, want 300 to %d windows of %d", len(got), total, chosenWindows, year/step)
	}
	t.Logf("%d readings in %d windows took %v", total, len(got), took)
}
