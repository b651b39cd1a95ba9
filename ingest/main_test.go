package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"watchhouse/ingest/influxdb"
	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// shared is the one influxd of most tests; every test has its own database in it.
type sharedServer struct {
	once sync.Once
	dir  string
	s    *influxdb.Server
	err  error
	n    atomic.Int64
}

var shared sharedServer

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

// suite is the tests and the end of what they share, after which no goroutine may be left.
type suite struct{ tests *testing.M }

func (s suite) Run() int {
	if os.Getenv(childEnv) != "" {
		return childMain()
	}
	code := s.tests.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if err := shared.end(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func (s *sharedServer) end() error {
	if s.s == nil {
		return nil
	}
	return errors.Join(s.s.Kill(), os.RemoveAll(s.dir))
}

func (s *sharedServer) url(t testing.TB) string {
	t.Helper()
	s.once.Do(func() {
		//nolint:usetesting // it outlives the test that starts it
		if s.dir, s.err = os.MkdirTemp("", "influxd"); s.err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 120*time.Second)
		defer cancel()
		var bin string
		if bin, s.err = influxdb.Find(context.Background()); s.err == nil {
			s.s, s.err = influxdb.StartConfig(ctx, influxdb.Config{Bin: bin, Dir: s.dir, NoFlux: true})
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.s.URL()
}

// ownServer starts an influxd that a test may stop.
func ownServer(t testing.TB, cfg influxdb.Config) *influxdb.Server {
	t.Helper()
	bin, err := influxdb.Find(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Bin, cfg.Dir = bin, t.TempDir()
	s, err := influxdb.StartConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Kill(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// devices is a directory for tests.
type devices map[string]registry.Device

func (d devices) Locate(topic, _ string) (registry.Origin, error) {
	t, err := telemetry.ParseTopic(topic)
	v, ok := d[t.Device]
	return registry.Origin{Topic: t, Device: v, Registered: ok, Life: true}, err
}

// rig is a journal with an ingest on it.
type rig struct {
	t       testing.TB
	journal *journal.Journal
	lane    *journal.Lane
	i       *Ingest
	log     *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func openJournal(t testing.TB, dir string, adjust ...func(*journal.Config)) *journal.Journal {
	t.Helper()
	j, err := openJournalIn(dir, adjust...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := j.Close(ctx); err != nil {
			t.Errorf("close journal: %v", err)
		}
	})
	return j
}

func openJournalIn(dir string, adjust ...func(*journal.Config)) (*journal.Journal, error) {
	cfg := journal.DefaultConfig()
	cfg.Dir = dir
	cfg.ReserveBytes = 1 << 20
	for _, a := range adjust {
		a(&cfg)
	}
	return journal.Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
}

// newRig makes an ingest with short pauses that is not yet running.
func newRig(t testing.TB, cfg Config, d devices) *rig {
	t.Helper()
	j := openJournal(t, filepath.Join(t.TempDir(), "data"))
	return rigOn(t, j, cfg, d)
}

func rigOn(t testing.TB, j *journal.Journal, cfg Config, d devices) *rig {
	t.Helper()
	buf := &lockedBuffer{}
	i, err := New(cfg, Deps{Journal: j, Registry: new(registry.Registry), Log: slog.New(slog.NewTextHandler(buf, nil))})
	if err != nil {
		t.Fatal(err)
	}
	i.devices = func() directory { return d }
	i.limits.pauseMin, i.limits.pauseMax = 5*time.Millisecond, 50*time.Millisecond
	i.limits.linger, i.limits.journalPause = 20*time.Millisecond, 10*time.Millisecond
	return &rig{t: t, journal: j, lane: j.Lane(journal.TelemetryLane), i: i, log: buf}
}

// run starts ingest; stop (also called at the end of the test) waits for its end.
func (r *rig) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.i.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				r.t.Errorf("Run: %v", err)
			}
		})
	}
	r.t.Cleanup(stop)
	return stop
}

// message is a telemetry message of a device as the broker would journal it.
func message(device string, receivedNS int64, payload string) journal.Message {
	return journal.Message{
		Kind: journal.Publish, ReceivedNS: receivedNS, Client: device, Device: device, QoS: 1,
		Topic: "wh/v1/" + device + "/telemetry", Payload: []byte(payload),
	}
}

// append journals and returns when it is on disk.
func (r *rig) append(m journal.Message) journal.Receipt {
	r.t.Helper()
	receipt, err := r.lane.Append(context.Background(), m)
	if err != nil {
		r.t.Fatal(err)
	}
	return receipt
}

// submit journals many messages and returns when all are on disk.
func (r *rig) submit(ms []journal.Message) {
	r.t.Helper()
	var wg sync.WaitGroup
	var failed atomic.Int64
	for _, m := range ms {
		wg.Add(1)
		err := r.lane.Submit(m, func(_ journal.Receipt, err error) {
			if err != nil {
				failed.Add(1)
			}
			wg.Done()
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
	wg.Wait()
	if failed.Load() > 0 {
		r.t.Fatalf("%d messages were not journaled", failed.Load())
	}
}

// drained waits until nothing is left to write.
func (r *rig) drained() {
	r.t.Helper()
	r.until("an empty lane", func() bool { return r.i.Stats().LagMessages == 0 })
}

func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	eventually(r.t, what, ok, func() string { return fmt.Sprintf("%+v", r.i.Stats()) })
}

func eventually(t testing.TB, what string, ok func() bool, state func() string) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute in vain for %s; %s", what, state())
		}
	}
}

// deadLetters gives the letters once there are n.
func (r *rig) deadLetters(n int) []DeadLetter {
	r.t.Helper()
	var out []DeadLetter
	r.until(fmt.Sprintf("%d dead letters", n), func() bool {
		records, err := r.journal.Stream(DeadLetterStream).List(context.Background(), 1, 10_000)
		if errors.Is(err, journal.ErrNotFound) {
			return false // a frame that is just being committed
		}
		if err != nil {
			r.t.Fatal(err)
		}
		out = out[:0]
		for _, rec := range records {
			var d DeadLetter
			if err := json.Unmarshal(rec.Body, &d); err != nil {
				r.t.Fatal(err)
			}
			out = append(out, d)
		}
		return len(out) >= n
	})
	if len(out) != n {
		r.t.Fatalf("%d dead letters, want %d: %+v", len(out), n, out)
	}
	return out
}
