package ingest

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"watchhouse/journal"
)

// scripted is an HTTP server that answers writes as told: what a real InfluxDB does only when it is overloaded, misconfigured
// or behind a proxy. It accepts when the script has ended.
type scripted struct {
	*httptest.Server
	mu       sync.Mutex
	script   []http.HandlerFunc
	refuses  func(line string) (status int, text string) // for a request with a line like this; 0 = none
	requests int
	lines    []string // accepted, in order
	at       []time.Time
}

func newScripted(t *testing.T, script ...http.HandlerFunc) *scripted {
	s := &scripted{script: script}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/v2/write" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	body, err := io.ReadAll(z)
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	s.mu.Lock()
	s.requests++
	s.at = append(s.at, time.Now())
	var next http.HandlerFunc
	if len(s.script) > 0 {
		next, s.script = s.script[0], s.script[1:]
	}
	s.mu.Unlock()
	if next != nil {
		next(w, r)
		return
	}
	s.accept(w, strings.Split(strings.TrimSpace(string(body)), "\n"))
}

func (s *scripted) accept(w http.ResponseWriter, lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range lines {
		if s.refuses == nil {
			break
		}
		if status, text := s.refuses(line); status != 0 {
			http.Error(w, text, status)
			return
		}
	}
	s.lines = append(s.lines, lines...)
	w.WriteHeader(http.StatusNoContent)
}

func (s *scripted) seen() (requests int, lines []string, at []time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests, slices.Clone(s.lines), slices.Clone(s.at)
}

func (s *scripted) config() Config {
	cfg := DefaultConfig()
	cfg.URL, cfg.Token, cfg.Timeout = s.URL, "sesame-secret", 200*time.Millisecond
	return cfg
}

func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for n := 0; n+1 < len(headers); n += 2 {
			w.Header().Set(headers[n], headers[n+1])
		}
		http.Error(w, fmt.Sprintf("answer %d", code), code)
	}
}

// TestWhatIsNotAboutAPointIsTriedAgain: each of these answers, twice, and then the points are stored once.
func TestWhatIsNotAboutAPointIsTriedAgain(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	page := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>please sign in</html>") }
	cases := map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"429":              {status(429), "status 429"},
		"500":              {status(500), "status 500"},
		"502":              {status(502), "status 502"},
		"503":              {status(503), "status 503"},
		"401 wrong token":  {status(401), "status 401"},
		"403":              {status(403), "status 403"},
		"404 no bucket":    {status(404), "status 404"},
		"200 from a proxy": {page, "status 200 instead of 204"},
		"302 to a sign-in": {status(302, "Location", "/ping"), "instead of 204"},
		"400 unknown":      {status(400), "every point is refused"},
		"no answer":        {hang, "deadline exceeded"},
		"cut":              {cut, "EOF"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := []http.HandlerFunc{c.answer, c.answer}
			if c.want == "every point is refused" { // of three points: the whole, two halves, and so on
				answers = slices.Repeat(answers[:1], 10)
			}
			s := newScripted(t, answers...)
			r := newRig(t, s.config(), nil)
			r.submit(numbered(0, 3))
			var reason string
			r.run()
			r.until("a failure", func() bool {
				st := r.i.Stats()
				if st.LastError != "" {
					reason = st.LastError
				}
				return reason != "" || st.LagMessages == 0
			})
			r.drained()
			if !strings.Contains(reason, c.want) {
				t.Errorf("last error %q, want %q", reason, c.want)
			}
			requests, lines, _ := s.seen()
			if len(lines) != 3 || requests < 3 {
				t.Errorf("%d requests stored %d lines, want at least 3 and 3", requests, len(lines))
			}
			if st := r.i.Stats(); st.Written != 3 || st.Retries < 2 || st.Refused != 0 || !st.Up || st.LastError != "" {
				t.Errorf("stats %+v", st)
			}
			if log := r.log.String(); strings.Contains(log, "sesame") || strings.Contains(log, "temp_c") {
				t.Errorf("the log holds a token or a payload:\n%s", log)
			}
		})
	}
}

// TestALaneThatIsQuietDoesNotCallADatabaseWellThatRefusesTheOther: a ping is answered by a server that takes no points.
func TestALaneThatIsQuietDoesNotCallADatabaseWellThatRefusesTheOther(t *testing.T) {
	s := newScripted(t, slices.Repeat([]http.HandlerFunc{status(http.StatusUnauthorized)}, 1000)...)
	r := newRig(t, s.config(), nil)
	r.i.limits.pingEvery = 0
	r.append(message("d1", t0, `{"temp_c":1}`))
	r.run()
	r.until("a refusal", func() bool { return r.i.Stats().Retries > 0 })
	event := r.journal.Lane(journal.EventLane)
	for range 10 {
		if _, err := event.Append(t.Context(), message("d1", t0, `{"type":"test"}`)); err != nil {
			t.Fatal(err)
		}
		r.until("the event to be passed", func() bool { n, _ := r.i.sources[1].lag(time.Now()); return n == 0 })
	}
	if log := r.log.String(); r.i.Stats().Up || strings.Count(log, "does not accept") != 1 || strings.Count(log, "answers") != 1 {
		t.Errorf("%+v, log\n%s", r.i.Stats(), log)
	}
}

// Whoever reads the health of the hub is told what to do, and not only that there is no answer.
func TestAMissingBucketAndARefusedTokenAreNamed(t *testing.T) {
	for code, want := range map[int]string{404: "does not exist: create it", 401: "the token is refused", 503: ""} {
		s := newScripted(t, slices.Repeat([]http.HandlerFunc{status(code)}, 1000)...)
		r := newRig(t, s.config(), nil)
		r.submit(numbered(0, 3))
		r.run()
		r.until("a refusal", func() bool { return r.i.Stats().Retries > 0 })
		if hint := r.i.Stats().Hint; (want == "") != (hint == "") || !strings.Contains(hint, want) {
			t.Errorf("%d: hint %q, want %q", code, hint, want)
		}
	}
}

// Without a database nothing is stored, but what cannot be read is told all the same, once, over a restart too.
func TestDeadLettersNeedNoDatabase(t *testing.T) {
	r := newRig(t, DefaultConfig(), nil)
	r.append(message("d1", t0, `garbage`))
	r.append(message("d1", t0, `{"temp_c":1}`))
	stop := r.run()
	if l := r.deadLetters(1)[0]; l.Device != "d1" || l.Stage != StageDecode {
		t.Errorf("dead letter %+v", l)
	}
	if p, err := r.lane.Cursor(t.Context(), cursorName); err != nil || p.Frame != 0 {
		t.Errorf("cursor %v %v: a database that is configured later would miss what is kept", p, err)
	}
	stop()
}

func TestTheServersWishToWaitIsHonoured(t *testing.T) {
	s := newScripted(t, status(503, "Retry-After", "1"))
	r := newRig(t, s.config(), nil)
	r.submit(numbered(0, 3))
	r.run()
	r.drained()
	_, _, at := s.seen()
	if len(at) != 2 || at[1].Sub(at[0]) < time.Second {
		t.Errorf("requests at %v, want a second between two", at)
	}
}

func TestPausesGrowToTheirMostAndAreNeverShorterThanHalf(t *testing.T) {
	i := &Ingest{limits: defaultLimits(DefaultConfig())}
	for attempt, most := range []time.Duration{200, 400, 800, 1600, 3200, 6400, 12800, 15000, 15000} {
		most *= time.Millisecond
		different := map[time.Duration]bool{}
		for range 100 {
			d := i.pause(attempt, 0)
			if d < most/2 || d > most {
				t.Fatalf("attempt %d: pause %v, want %v to %v", attempt, d, most/2, most)
			}
			different[d] = true
		}
		if len(different) < 50 {
			t.Errorf("attempt %d: only %d different pauses of 100", attempt, len(different))
		}
	}
	if d := i.pause(1<<40, 0); d > 15*time.Second {
		t.Errorf("after a long outage: %v", d)
	}
	if d := i.pause(0, time.Hour); d < 5*time.Minute || d > 6*time.Minute {
		t.Errorf("asked for an hour: %v", d)
	}
}

// TestLinesThatAreRefusedAreFoundAndTheRestStored: refusals the real server cannot be made to give, by 2.x's status and words.
func TestLinesThatAreRefusedAreFoundAndTheRestStored(t *testing.T) {
	bad := func(status int, text string) func(string) (int, string) {
		return func(line string) (int, string) {
			if strings.Contains(line, "temp_c=13 ") || strings.Contains(line, "temp_c=77 ") {
				return status, text
			}
			return 0, ""
		}
	}
	for name, c := range map[string]struct {
		refuses func(string) (int, string)
		want    string
	}{
		"400 unable to parse": {bad(400, "unable to parse 'x': bad"), "unable to parse"},
		"422":                 {bad(422, "failure writing points to database: partial write: points beyond it dropped=1"), "partial write"},
		"400 unknown":         {bad(400, "no"), "not known"},
		"413 of a line":       {bad(413, "too big"), "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t)
			s.refuses = c.refuses
			r := newRig(t, s.config(), nil)
			r.submit(numbered(0, 100))
			r.run()
			r.drained()
			letters := r.deadLetters(2)
			for n, device := range []string{"d13", "d27"} {
				if letters[n].Device != device || letters[n].Stage != StageStore || !strings.Contains(letters[n].Reason, c.want) {
					t.Errorf("letter %+v, want %s of %s", letters[n], c.want, device)
				}
			}
			_, lines, _ := s.seen()
			slices.Sort(lines)
			if n := len(slices.Compact(lines)); n != 98 {
				t.Errorf("%d lines stored, want 98", n)
			}
			if st := r.i.Stats(); st.Written != 98 || st.Refused != 2 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

func TestAServerThatRefusesEverythingInUnknownWordsIsNotBelieved(t *testing.T) {
	s := newScripted(t)
	var broken sync.Mutex
	broken.Lock()
	s.refuses = func(string) (int, string) {
		if broken.TryLock() {
			broken.Unlock()
			return 0, ""
		}
		return 400, "a gateway's own words"
	}
	r := newRig(t, s.config(), nil)
	r.submit(numbered(0, 500))
	r.run()
	r.until("two attempts", func() bool { return r.i.Stats().Retries >= 2 })
	if st := r.i.Stats(); st.Up || st.LagMessages == 0 || st.Refused != 0 {
		t.Errorf("stats %+v", st)
	}
	broken.Unlock()
	r.drained()
	if st := r.i.Stats(); st.Written != 500 || st.Refused != 0 {
		t.Errorf("stats %+v", st)
	}
	if n := len(r.deadLettersNow()); n != 0 {
		t.Errorf("%d dead letters, want none", n)
	}
}

func TestAPointRefusedInUnknownWordsHoldsTheLaneOnlyUntilAnotherIsAccepted(t *testing.T) {
	s := newScripted(t)
	s.refuses = func(line string) (int, string) {
		if strings.Contains(line, "temp_c=0 ") {
			return 400, "no"
		}
		return 0, ""
	}
	r := newRig(t, s.config(), nil)
	r.append(message("bad", t0, `{"oops":1,`)) // its dead letter must not be repeated with the attempts
	r.submit(numbered(0, 1))
	r.run()
	r.until("two attempts", func() bool { return r.i.Stats().Retries >= 2 })
	r.submit(numbered(1, 1))
	r.drained()
	if letters := r.deadLetters(2); letters[0].Stage != StageDecode || letters[1].Device != "d0" || letters[1].Stage != StageStore {
		t.Errorf("dead letters %+v", letters)
	}
	if st := r.i.Stats(); st.Written != 1 || st.Refused != 1 || !st.Up {
		t.Errorf("stats %+v", st)
	}
}

func TestPointsOfADeviceAreWrittenInTheOrderOfTheLane(t *testing.T) {
	s := newScripted(t)
	cfg := s.config()
	cfg.BatchSize = 37
	r := newRig(t, cfg, nil)
	for k := range 300 {
		r.append(message("d1", t0, fmt.Sprintf(`{"ts":%d,"seq":%d,"n":%d}`, t0ms+int64(k), k, k)))
	}
	r.run()
	r.drained()
	_, lines, _ := s.seen()
	for k, line := range lines {
		if want := fmt.Sprintf("telemetry,device=d1 n=%d %d", k, (t0ms+int64(k))*nsPerMS+int64(k)); line != want {
			t.Fatalf("line %d: %q, want %q", k, line, want)
		}
	}
}

func TestRunEndsAtOnceWhileTheServerHangs(t *testing.T) {
	s := newScripted(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cfg := s.config()
	cfg.Timeout = time.Minute
	r := newRig(t, cfg, nil)
	r.submit(numbered(0, 3))
	stop := r.run()
	r.until("the request", func() bool { n, _, _ := s.seen(); return n == 1 })
	began := time.Now()
	stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Run ended after %v", took)
	}
	if p, err := r.lane.Cursor(context.Background(), cursorName); err != nil || p.Frame != 0 {
		t.Errorf("cursor %v %v, want it where it was", p, err)
	}
}
