package dashboard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"watchhouse/alerts"
	"watchhouse/dashboard"
	"watchhouse/dashboard/stream/streamtest"
	"watchhouse/ingest"
	"watchhouse/journal"
	"watchhouse/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "correct horse battery"

// desk is an alert engine of the tests: a ledger, and the answers to commands.
type desk struct {
	*streamtest.Ledger
	mu       sync.Mutex
	commands []alerts.Command
	result   alerts.Result
	err      error
	timeline []alerts.Transition
}

func (d *desk) Do(_ context.Context, c alerts.Command) (alerts.Result, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.commands = append(d.commands, c)
	return d.result, d.err
}

func (d *desk) Timeline(_ context.Context, id string) ([]alerts.Transition, error) {
	if id != "I1" {
		return nil, alerts.ErrNotFound
	}
	return d.timeline, nil
}

func (d *desk) Rules() *alerts.Rules {
	rules, err := alerts.LoadRules("")
	if err != nil {
		panic(err) // its own test says more
	}
	return rules
}

func (d *desk) Points() []alerts.FillPoint {
	return []alerts.FillPoint{{Device: "s1", Streams: []alerts.FillStream{{Stream: "wet", FillPct: 81.5, At: 1763888888000, RatePctH: 4, EmptiedAt: 1763880000000}}}}
}

func (d *desk) answer(r alerts.Result, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.result, d.err, d.commands = r, err, nil
}

func (d *desk) last(t *testing.T) alerts.Command {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.commands) != 1 {
		t.Fatalf("%d commands reached the engine, want 1", len(d.commands))
	}
	return d.commands[0]
}

// series is a time-series database of the tests.
type series struct{ err error }

func (s series) Metrics(context.Context, string) ([]string, error) {
	return []string{"rssi_dbm", "battery_pct"}, s.err
}

func (s series) Series(_ context.Context, q ingest.Query) ([]ingest.Point, error) {
	from := q.From.UnixMilli()
	return []ingest.Point{{TS: from, N: 1}, {TS: from + 60_000, N: 1}, {TS: from + 300_000, N: 1}}, s.err
}

// letters is what drives dead letters again in the tests.
type letters struct {
	out ingest.Redriven
	err error
	at  map[uint64]int64
}

func (l letters) Redrive(context.Context, uint64) (ingest.Redriven, error) { return l.out, l.err }

func (l letters) RedrivenAt(context.Context, []journal.Record) (map[uint64]int64, error) {
	return l.at, l.err
}

// house is everything a Server needs, over a real journal and a real registry.
type house struct {
	t       *testing.T
	dir     string
	journal *journal.Journal
	reg     *registry.Registry
	desk    *desk
	history dashboard.History
	letters dashboard.DeadLetters
	cfg     dashboard.Config
	log     *bytes.Buffer
	metrics *prometheus.Registry

	server *dashboard.Server
	http   *httptest.Server
	stop   func()
	tokens map[registry.Role]string
	broken bool // the journal was closed under it
}

func newHouse(t *testing.T, adjust ...func(*house)) *house {
	t.Helper()
	h := &house{
		t: t, dir: t.TempDir(), desk: &desk{Ledger: streamtest.New("k7", 1000)}, cfg: dashboard.DefaultConfig(),
		log: &bytes.Buffer{}, tokens: map[registry.Role]string{},
	}
	h.cfg.DeviceInterval = 20 * time.Millisecond
	for _, a := range adjust {
		a(h)
	}
	h.open()
	h.fill()
	return h
}

// syncWriter lets the test read the log while the server writes.
type syncWriter struct {
	mu sync.Mutex
	b  *bytes.Buffer
}

func (w *syncWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (h *house) open() {
	h.t.Helper()
	ctx := context.Background()
	cfg := journal.DefaultConfig()
	cfg.Dir, cfg.ReserveBytes = filepath.Join(h.dir, "data"), 0
	log := slog.New(slog.NewTextHandler(&syncWriter{b: h.log}, nil))
	j, err := journal.Open(ctx, cfg, log)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := registry.Open(ctx, registry.Config{KeyFile: filepath.Join(h.dir, "key")}, j)
	if err != nil {
		h.t.Fatal(err)
	}
	h.journal, h.reg, h.metrics = j, r, prometheus.NewRegistry()
	s, err := dashboard.New(h.cfg, dashboard.Deps{
		Journal: j, Registry: r, Alerts: h.desk, History: h.history, Letters: h.letters, Metrics: h.metrics, Log: log, Build: "test",
		Page: page(),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.server, h.http = s, httptest.NewServer(s.Handler())
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	h.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil && !h.broken {
				h.t.Errorf("run: %v", err)
			}
			h.http.Close()
			if err := j.Close(context.Background()); err != nil {
				h.t.Errorf("close: %v", err)
			}
		})
	}
	h.t.Cleanup(func() { h.stop() })
	h.eventually("the stream", func() bool { return dashboard.StreamReady(s) })
}

func (h *house) restart() {
	h.t.Helper()
	h.stop()
	h.open()
}

func page() fstest.MapFS {
	return fstest.MapFS{
		"index.html":            {Data: []byte("<!doctype html><title>page</title>")},
		"assets/app-1a2b.js":    {Data: []byte("let a = 1")},
		"assets/app-1a2b.js.gz": {Data: []byte("gzipped")},
		"favicon.svg":           {Data: []byte("<svg/>")},
		".keep":                 {Data: []byte("")},
	}
}

// fill registers an area, two devices and a person.
func (h *house) fill() {
	h.t.Helper()
	ctx := context.Background()
	must := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	must(h.reg.PutAreas(ctx, "test", []registry.Area{{ID: "c-1", Name: "罗山七村", NameEN: "Luoshan 7", AutoDispatch: "suggest"}}))
	must(h.reg.PutPersons(ctx, "test", map[string]registry.Personal{"p-1": secretPerson()}))
	_, err := h.reg.PutDevices(ctx, "test", []registry.Device{
		{ID: "btn-1", Kind: "emergency_button", Name: "1号101", Area: "c-1", Power: "mains", Person: "p-1"},
		{ID: "house-1", Kind: "safety_house", Name: "东门岗", Area: "c-1", Power: "mains"},
	}, nil)
	must(err)
	h.eventually("devices", func() bool {
		status, body := h.as(registry.Viewer).get("/api/v1/devices")
		return status == http.StatusOK && strings.Contains(body, "house-1") && strings.Contains(body, "btn-1")
	})
}

func secretPerson() registry.Personal {
	return registry.Personal{
		Name: "王桂芳", Phone: "13812341234", Address: "罗山七村1号101", Note: "听力不好",
		Contacts: []registry.Relative{{Name: "王小明", Relation: "儿子", Phone: "13988887777"}},
	}
}

func (h *house) eventually(what string, ok func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("%s: not within 10 s", what)
		}
	}
}

// caller sends requests with the same headers.
type caller struct {
	h      *house
	header http.Header
}

// as is a program of a user named like its role, made when first asked for: each costs two commits.
func (h *house) as(role registry.Role) caller {
	h.t.Helper()
	if h.tokens[role] == "" {
		h.user(registry.User{Name: string(role), Role: role}, "")
		var err error
		if h.tokens[role], err = h.reg.NewToken(context.Background(), "test", string(role), "test"); err != nil {
			h.t.Fatal(err)
		}
	}
	return caller{h, http.Header{"Authorization": {"Bearer " + h.tokens[role]}}}
}

// root makes the one user with a password: hashing it takes its time.
func (h *house) root() { h.user(registry.User{Name: "root", Role: registry.Admin}, password) }

func (h *house) user(u registry.User, pass string) {
	h.t.Helper()
	if err := h.reg.PutUser(context.Background(), "test", u, pass); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) nobody() caller { return caller{h, http.Header{}} }

func (c caller) with(kv ...string) caller {
	c.header = maps.Clone(c.header)
	for i := 0; i < len(kv); i += 2 {
		c.header.Set(kv[i], kv[i+1])
	}
	return c
}

// do sends body (a string as it is, nil for none, else as JSON) and returns the whole answer.
func (c caller) do(method, path string, body any) *http.Response {
	c.h.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			c.h.t.Fatal(err)
		}
		r = bytes.NewReader(j)
	}
	req, err := http.NewRequestWithContext(c.h.t.Context(), method, c.h.http.URL+path, r)
	if err != nil {
		c.h.t.Fatal(err)
	}
	req.Header = maps.Clone(c.header)
	if body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.h.http.Client().Transport.RoundTrip(req)
	if err != nil {
		c.h.t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		c.h.t.Fatal(err)
	}
	res.Body = io.NopCloser(bytes.NewReader(b))
	return res
}

func (c caller) get(path string) (int, string) {
	c.h.t.Helper()
	return c.send(http.MethodGet, path, nil)
}

func (c caller) send(method, path string, body any) (int, string) {
	c.h.t.Helper()
	res := c.do(method, path, body)
	return res.StatusCode, text(res)
}

func text(res *http.Response) string {
	b, _ := io.ReadAll(res.Body) // read into memory already
	return string(b)
}

// into decodes an answer.
func into[T any](t *testing.T, body string) T {
	t.Helper()
	var v T
	d := json.NewDecoder(strings.NewReader(body))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("decode %q: %v", body, err)
	}
	return v
}

// problem checks that an answer is a complete problem of that status and code.
func problem(t *testing.T, res *http.Response, status int, code string) dashboard.Problem {
	t.Helper()
	body := text(res)
	if res.StatusCode != status || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d %s %s, want a problem %d", res.StatusCode, res.Header.Get("Content-Type"), body, status)
	}
	p := into[dashboard.Problem](t, body)
	if p.Code != code || p.Status != status || p.Type == "" || p.Title == "" || p.Detail == "" {
		t.Fatalf("problem %s, want code %s", body, code)
	}
	if p.RequestID == "" || p.RequestID != res.Header.Get("X-Request-Id") {
		t.Errorf("request id %q in the body, %q in the header", p.RequestID, res.Header.Get("X-Request-Id"))
	}
	return p
}

var errDisk = errors.New("disk on fire")
