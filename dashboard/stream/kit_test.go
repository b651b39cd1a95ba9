package stream_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"watchhouse/alerts"
	"watchhouse/dashboard/stream"
	"watchhouse/dashboard/stream/streamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pipes is a network of one address inside a test: no sockets, so that synctest sees who waits for whom.
type pipes struct {
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{accept: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.accept <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// bench is a hub with its ledger, served over pipes.
type bench struct {
	t       *testing.T
	ledger  *streamtest.Ledger
	hub     *stream.Hub
	net     *pipes
	metrics *prometheus.Registry
	valid   atomic.Bool
	secrets *tls.Config // nil = not encrypted
	stop    func()

	mu      sync.Mutex
	devices []stream.Update
	seen    []stream.SeenRecord
	refuse  error // what Seen answers
}

func (b *bench) keep(_ context.Context, records []stream.SeenRecord) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return b.refuse
	}
	b.seen = append(b.seen, records...)
	return nil
}

// start must be called inside a bubble.
func start(t *testing.T, kept int) *bench { t.Helper(); return startOver(t, kept, nil) }

// startOver speaks TLS unless secrets is nil.
func startOver(t *testing.T, kept int, secrets *tls.Config) *bench {
	t.Helper()
	b := &bench{t: t, secrets: secrets, ledger: streamtest.New("k7", kept), net: newPipes(), metrics: prometheus.NewRegistry()}
	b.valid.Store(true)
	var err error
	b.hub, err = stream.New(stream.Config{MaxClients: 10, MaxPerUser: 8, Heartbeat: 5 * time.Second}, stream.Deps{
		Source: b.ledger, Seen: b.keep, Metrics: b.metrics, Log: slog.New(slog.DiscardHandler), Build: "test",
		Devices: func() []stream.Update { b.mu.Lock(); defer b.mu.Unlock(); return b.devices },
	})
	if err != nil {
		t.Fatal(err)
	}
	b.run()
	t.Cleanup(b.stop)
	return b
}

func (b *bench) run() {
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("user")
		b.hub.Serve(w, r, stream.Identity{Name: name, Role: "operator", Handles: !strings.HasPrefix(name, "viewer"), Valid: b.valid.Load})
	})}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := b.hub.Run(ctx); err != nil {
			b.t.Errorf("run: %v", err)
		}
	})
	wg.Go(func() { _ = server.Serve(b.listener()) })
	synctest.Wait()
	var once sync.Once
	b.stop = func() {
		once.Do(func() {
			cancel()
			_ = server.Close()
			wg.Wait()
		})
	}
}

func (b *bench) listener() net.Listener {
	if b.secrets == nil {
		return b.net
	}
	return tls.NewListener(b.net, b.secrets)
}

// console is a page's end of the stream. It reads only when told.
type console struct {
	t    *testing.T
	conn *websocket.Conn
	last uint64
}

// frame is any server frame.
type frame struct {
	T, E, Epoch, Resume, Build string
	F, L, Head                 uint64
	RingMin                    uint64 `json:"ring_min"`
	R                          int
	Snapshot                   bool
	Ev                         []alerts.Transition
	Dev                        []json.RawMessage
	User                       stream.WelcomeUser
}

func (b *bench) open(user string) *console {
	b.t.Helper()
	d := websocket.Dialer{NetDialContext: b.net.dial, Subprotocols: []string{stream.Subprotocol}}
	address := "ws://hub/?user="
	if b.secrets != nil {
		address, d.TLSClientConfig = "wss://hub/?user=", &tls.Config{InsecureSkipVerify: true} // whose it is does not matter here
	}
	conn, resp, err := d.Dial(address+user, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp.Body.Close()
	b.t.Cleanup(func() { conn.Close() })
	return &console{t: b.t, conn: conn}
}

func (c *console) say(v any) {
	c.t.Helper()
	if err := c.conn.WriteJSON(v); err != nil {
		c.t.Fatalf("say %v: %v", v, err)
	}
}

func (c *console) hello(seq uint64) frame {
	c.t.Helper()
	c.say(stream.ClientFrame{T: "hello", Epoch: "k7", Seq: seq, Tab: "t1"})
	c.last = seq
	w := c.next()
	if w.T != "welcome" {
		c.t.Fatalf("first frame is %q, want welcome", w.T)
	}
	return w
}

func (c *console) read() (frame, error) {
	_, b, err := c.conn.ReadMessage()
	if err != nil {
		return frame{}, err
	}
	var f frame
	if err := json.Unmarshal(b, &f); err != nil {
		return frame{}, fmt.Errorf("frame %s: %w", b, err)
	}
	return f, nil
}

func (c *console) next() frame {
	c.t.Helper()
	f, err := c.read()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return f
}

// until reads to the next frame of a type, which must not skip or repeat a number on the way.
func (c *console) until(kind string) frame {
	c.t.Helper()
	for range 10_000 {
		f := c.next()
		if f.T == "b" {
			if err := c.take(f); err != nil {
				c.t.Fatal(err)
			}
		}
		if f.T == kind {
			return f
		}
	}
	c.t.Fatalf("no %s among 10,000 frames", kind)
	return frame{}
}

func (c *console) take(f frame) error {
	if f.F != c.last+1 || f.L != f.F+uint64(len(f.Ev))-1 {
		return fmt.Errorf("batch %d..%d with %d events after %d", f.F, f.L, len(f.Ev), c.last)
	}
	for i, e := range f.Ev {
		if e.N != f.F+uint64(i) {
			return fmt.Errorf("event %d of batch %d..%d has number %d", i, f.F, f.L, e.N)
		}
	}
	c.last = f.L
	return nil
}

// reach reads until the console has number seq.
func (c *console) reach(seq uint64) {
	c.t.Helper()
	for c.last < seq {
		c.until("b")
	}
}

// closed reads to the end and returns the close code.
func (c *console) closed() int {
	c.t.Helper()
	for {
		if _, err := c.read(); err != nil {
			if e, ok := errors.AsType[*websocket.CloseError](err); ok {
				return e.Code
			}
			return -1
		}
	}
}

func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func metric(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	name, label, _ := strings.Cut(name, "/")
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if label != "" && m.GetLabel()[0].GetValue() != label {
				continue
			}
			switch {
			case m.GetHistogram() != nil:
				return float64(m.GetHistogram().GetSampleCount())
			case m.GetCounter() != nil:
				return m.GetCounter().GetValue()
			}
			return m.GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}
