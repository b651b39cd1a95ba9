package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchhouse/journal/engine"
	"watchhouse/journal/engine/enginetest"
)

func engineRecord(b []byte) engine.Record { return engine.Record{Seq: 1, Body: b} }

// openOn opens a journal on memory engines.
func openOn(t fatal, s *stores, dir string) *Journal {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Dir, cfg.ReserveBytes, cfg.TickInterval, cfg.MaxFrameBytes = dir, 0, 0, minFrameBytes
	j, err := open(context.Background(), cfg, slog.New(slog.DiscardHandler), s.open)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return j
}

func closeIt(t fatal, j *Journal) {
	t.Helper()
	if err := j.Close(context.Background()); err != nil {
		t.Fatalf("close: %v", err)
	}
}

// outcome of one message as its callback told it.
type outcome struct {
	receipt Receipt
	err     error
	calls   int
}

// The lane against a model: whatever the disk does, every callback comes exactly once and in order, what was acknowledged is
// stored where the receipt says, nothing is stored twice, numbers run on without holes, and order is kept.
func TestLaneModel(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		m := &laneModel{t: t, stores: newStores(), dir: dir}
		m.open()
		defer func() { closeIt(t, m.j) }()
		t.Repeat(map[string]func(*rapid.T){
			"submit": m.submit, "disk": m.disk, "restart": m.restart, "cursor": m.cursor, "read": m.read, "settle": m.settle,
		})
		m.settle(t)
		m.check(t)
	})
}

type laneModel struct {
	t        *rapid.T
	stores   *stores
	dir      string
	j        *Journal
	mu       sync.Mutex
	sent     []Message
	outcomes []outcome
	order    []int // of callbacks
	faults   []enginetest.Fault
	cursors  map[string]Position
}

func (m *laneModel) open() {
	m.j = openOn(m.t, m.stores, m.dir)
	m.stores.at(lifeFile).Inject(func(string, uint64) enginetest.Fault {
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.faults) == 0 {
			return enginetest.Succeed
		}
		f := m.faults[0]
		m.faults = m.faults[1:]
		return f
	})
}

func (m *laneModel) lane() *Lane { return m.j.Lane(EventLane) }

// submit sends a few messages, numbered by their connection field so that each can be told.
func (m *laneModel) submit(t *rapid.T) {
	for range rapid.IntRange(1, 8).Draw(t, "messages") {
		msg := message(t)
		m.mu.Lock()
		i := len(m.sent)
		msg.Conn = uint64(i)
		m.sent = append(m.sent, msg)
		m.outcomes = append(m.outcomes, outcome{})
		m.mu.Unlock()
		err := m.lane().Submit(msg, func(r Receipt, err error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.outcomes[i] = outcome{r, err, m.outcomes[i].calls + 1}
			m.order = append(m.order, i)
		})
		if err != nil {
			m.mu.Lock()
			m.outcomes[i] = outcome{err: err, calls: -1}
			m.mu.Unlock()
			if !errors.Is(err, ErrUnavailable) {
				t.Fatalf("submit: %v", err)
			}
		}
	}
}

func (m *laneModel) disk(t *rapid.T) {
	faults := rapid.SliceOfN(rapid.SampledFrom([]enginetest.Fault{
		enginetest.FailBefore, enginetest.FailAfter, enginetest.NoSpace, enginetest.Succeed,
	}), 1, 2).Draw(t, "faults")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = faults
}

func (m *laneModel) settle(t *rapid.T) {
	eventually(t, "every callback", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, o := range m.outcomes {
			if o.calls == 0 {
				return false
			}
		}
		return true
	})
	eventually(t, "an idle committer", func() bool {
		l := m.lane()
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.idle && l.standing == nil
	})
}

func (m *laneModel) restart(t *rapid.T) {
	closeIt(t, m.j)
	m.mu.Lock()
	m.faults = nil
	m.mu.Unlock()
	m.open()
	for n, p := range m.cursors {
		if got, err := m.lane().Cursor(context.Background(), n); err != nil || got != p {
			t.Fatalf("cursor %s after a restart: %s, want %s, %v", n, got, p, err)
		}
	}
	m.check(t)
}

func (m *laneModel) cursor(t *rapid.T) {
	es := readAll(t, m.lane(), 1000)
	if len(es) == 0 {
		return
	}
	n := rapid.SampledFrom([]string{"alerts", "ingest"}).Draw(t, "cursor")
	p := rapid.SampledFrom(es).Draw(t, "entry").Next
	if err := m.lane().SetCursor(context.Background(), n, p); err != nil {
		t.Fatalf("set cursor: %v", err)
	}
	if m.cursors == nil {
		m.cursors = map[string]Position{}
	}
	if p.Compare(m.cursors[n]) > 0 {
		m.cursors[n] = p
	}
	if got, _ := m.lane().Cursor(context.Background(), n); got != m.cursors[n] {
		t.Fatalf("cursor %s at %s, want %s", n, got, m.cursors[n])
	}
}

// read compares reading in small steps, and from any entry, with reading all.
func (m *laneModel) read(t *rapid.T) {
	all := readAll(t, m.lane(), 1000)
	few := readAll(t, m.lane(), rapid.IntRange(1, 5).Draw(t, "limit"))
	if len(few) < len(all) {
		t.Fatalf("%d entries in small steps, %d at once", len(few), len(all))
	}
	if len(all) == 0 {
		return
	}
	i := rapid.IntRange(0, len(all)-1).Draw(t, "from")
	es, _, err := m.lane().Read(context.Background(), all[i].Pos, 1)
	if err != nil || len(es) != 1 || es[0].ID != all[i].ID {
		t.Fatalf("read from %s: %v %v", all[i].Pos, es, err)
	}
	if d := m.lane().Depth(all[i].Next); d < uint64(len(all)-1-i) {
		t.Fatalf("depth %d at entry %d of %d", d, i+1, len(all))
	}
	if p, err := m.lane().Locate(context.Background(), all[i].ID); err != nil || p != all[i].Pos {
		t.Fatalf("locate %d: %s, want %s, %v", all[i].ID, p, all[i].Pos, err)
	}
}

func (m *laneModel) check(t *rapid.T) {
	es := readAll(t, m.lane(), 7)
	m.mu.Lock()
	defer m.mu.Unlock()
	at := map[int]Entry{}
	last := -1
	for i, e := range es {
		n := int(e.Conn)
		if e.ID != uint64(i+1) {
			t.Fatalf("entry %d has number %d", i+1, e.ID)
		}
		if n <= last {
			t.Fatalf("message %d stored after message %d: doubled or out of order", n, last)
		}
		if !sameMessage(e.Message, m.sent[n]) || m.outcomes[n].calls == -1 {
			t.Fatalf("message %d is not what was accepted", n)
		}
		last, at[n] = n, e
	}
	for n, o := range m.outcomes {
		if o.calls > 1 {
			t.Fatalf("message %d got %d callbacks", n, o.calls)
		}
		e, stored := at[n]
		if o.calls == 1 && o.err == nil && (!stored || o.receipt != Receipt{ID: e.ID, Pos: e.Pos}) {
			t.Fatalf("message %d acknowledged as %+v, stored %t as %+v", n, o.receipt, stored, e.Pos)
		}
	}
	for i := 1; i < len(m.order); i++ {
		if m.order[i] < m.order[i-1] {
			t.Fatalf("callbacks out of order: %d after %d", m.order[i], m.order[i-1])
		}
	}
}

// A time-out after the record was stored must not store it again, and what waits behind it comes after it.
func TestRetryDoesNotDouble(t *testing.T) {
	for _, fault := range []enginetest.Fault{enginetest.FailAfter, enginetest.FailBefore, enginetest.NoSpace} {
		s := newStores()
		j := openOn(t, s, t.TempDir())
		var failures atomic.Int64
		failures.Store(3)
		s.at(lifeFile).Inject(func(string, uint64) enginetest.Fault {
			if failures.Add(-1) >= 0 {
				return fault
			}
			return enginetest.Succeed
		})
		l := j.Lane(EventLane)
		for i := range 50 {
			if _, err := l.Append(context.Background(), press(i)); err != nil {
				eventually(t, "recovery", func() bool { return l.Submit(press(1000+i), nil) == nil })
			}
		}
		if err := j.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		j = openOn(t, s, t.TempDir())
		seen := map[string]bool{}
		for i, e := range readAll(t, j.Lane(EventLane), 100) {
			if seen[string(e.Payload)] || e.ID != uint64(i+1) {
				t.Fatalf("fault %d: %s stored twice, or numbered %d", fault, e.Payload, e.ID)
			}
			seen[string(e.Payload)] = true
		}
		for i := range 50 {
			if !seen[string(press(i).Payload)] {
				t.Errorf("fault %d: message %d is gone, though the committer promised to go on", fault, i)
			}
		}
		closeIt(t, j)
	}
}

func TestStandingFailureRefuses(t *testing.T) {
	s := newStores()
	j := openOn(t, s, t.TempDir())
	s.at(lifeFile).Inject(func(string, uint64) enginetest.Fault { return enginetest.FailBefore })
	l := j.Lane(EventLane)
	if _, err := l.Append(context.Background(), press(1)); !errors.Is(err, enginetest.ErrInjected) {
		t.Fatalf("append: %v", err)
	}
	if err := l.Submit(press(2), func(Receipt, error) { t.Error("called back though refused") }); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("submit: %v, want ErrUnavailable", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := j.Close(ctx); err != nil {
		t.Fatalf("close while failing: %v", err)
	}
}

// Another writer on the same log (a leader deposed without knowing): nothing is acknowledged and nothing overwritten.
func TestAnotherWriterIsNoticed(t *testing.T) {
	s := newStores()
	a := openOn(t, s, t.TempDir())
	b := openOn(t, s, t.TempDir())
	if _, err := a.Lane(EventLane).Append(context.Background(), press(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Lane(EventLane).Append(context.Background(), press(2)); !errors.Is(err, ErrConflict) {
		t.Fatalf("append of the second writer: %v, want ErrConflict", err)
	}
	if n := len(s.at(lifeFile).Records(laneLogPrefix + string(EventLane))); n != 1 {
		t.Errorf("%d records", n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Close(ctx); err != nil {
		t.Fatal(err)
	}
	closeIt(t, a)
}

func TestOrderPerClient(t *testing.T) {
	j := openTest(t, testConfig(t))
	l := j.Lane(TelemetryLane)
	const clients, each = 20, 300
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			var last atomic.Int64
			var acked sync.WaitGroup
			for i := range each {
				acked.Add(1)
				m := Message{Kind: Publish, Client: fmt.Sprint(c), Payload: fmt.Append(nil, i)}
				err := l.Submit(m, func(_ Receipt, err error) {
					if err != nil || !last.CompareAndSwap(int64(i), int64(i+1)) {
						t.Errorf("client %d: message %d acknowledged after %d: %v", c, i, last.Load(), err)
					}
					acked.Done()
				})
				if err != nil {
					t.Error(err)
				}
			}
			acked.Wait()
		})
	}
	wg.Wait()
	next := map[string]int{}
	for _, e := range readAll(t, l, 500) {
		if string(e.Payload) != fmt.Sprint(next[e.Client]) {
			t.Fatalf("client %s: %s where %d should be", e.Client, e.Payload, next[e.Client])
		}
		next[e.Client]++
	}
	for c := range clients {
		if next[fmt.Sprint(c)] != each {
			t.Errorf("client %d: %d messages stored", c, next[fmt.Sprint(c)])
		}
	}
}

func TestTooLarge(t *testing.T) {
	j := openTest(t, testConfig(t))
	l := j.Lane(EventLane)
	m := Message{Kind: Publish, Topic: "t", Payload: make([]byte, DefaultConfig().MaxFrameBytes)}
	if err := l.Submit(m, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a frame of payload: %v, want ErrTooLarge", err)
	}
	m.Payload = m.Payload[:len(m.Payload)-200]
	if _, err := l.Append(context.Background(), m); err != nil {
		t.Errorf("the largest payload that fits: %v", err)
	}
}

// A disk that stands still must bound what waits in memory.
func TestQueueIsBounded(t *testing.T) {
	s := newStores()
	j := openOn(t, s, t.TempDir())
	release := make(chan struct{})
	s.at(lifeFile).Inject(func(string, uint64) enginetest.Fault { <-release; return enginetest.Succeed })
	l := j.Lane(EventLane)
	m := Message{Kind: Publish, Payload: []byte(strings.Repeat("x", 1000))}
	n := 0
	for ; ; n++ {
		if err := l.Submit(m, nil); errors.Is(err, ErrLaneFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if n < queueBytes/1100 || n > queueMessages {
		t.Errorf("refused after %d messages of 1 kB", n)
	}
	close(release)
	closeIt(t, j)
}

func TestLaneFullAtTheCapAndChainsGoOn(t *testing.T) {
	cfg := testConfig(t)
	cfg.LifeMaxBytes = minFileBytes
	j := openTest(t, cfg)
	ctx := context.Background()
	m := press(1)
	for i := range 20_000 {
		m.Payload = noise(int64(i), 3000)
		if _, err := j.Lane(StateLane).Append(ctx, m); errors.Is(err, ErrLaneFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if r := j.Health().Life.UsedRatio; r < stateShare || r > 1 {
		t.Errorf("state lane full at %.2f of the cap", r)
	}
	if _, err := j.Lane(EventLane).Append(ctx, press(1)); err != nil {
		t.Errorf("an event with the state lane full: %v", err)
	}
	if _, err := j.Chain("ledger").Append(ctx, 0, []byte("step")); err != nil {
		t.Errorf("a step with the state lane full: %v", err)
	}
	// Nobody reads the lane, so the purge may take the oldest to make room.
	eventually(t, "room after the purge", func() bool {
		j.Purge(ctx)
		return j.Lane(StateLane).Submit(press(1), nil) == nil
	})
}

func noise(seed int64, n int) []byte {
	b := make([]byte, n)
	x := uint64(seed)*2 + 1
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = byte(x >> 56)
	}
	return b
}

func TestWaitIsWokenByACommit(t *testing.T) {
	j := openTest(t, testConfig(t))
	l := j.Lane(EventLane)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	woken := make(chan error, 1)
	go func() { woken <- l.Wait(ctx, l.Head()) }()
	if _, err := l.Append(ctx, press(1)); err != nil {
		t.Fatal(err)
	}
	if err := <-woken; err != nil {
		t.Fatal(err)
	}
	go func() { woken <- l.Wait(ctx, l.Head()) }()
	closeIt(t, j)
	if err := <-woken; !errors.Is(err, ErrClosed) {
		t.Errorf("wait on a closed journal: %v", err)
	}
	if err := l.Submit(press(1), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("submit to a closed journal: %v", err)
	}
}

func TestIdleLanesTick(t *testing.T) {
	cfg := testConfig(t)
	cfg.TickInterval = 20 * time.Millisecond
	j := openTest(t, cfg)
	for _, n := range []LaneName{EventLane, StateLane, TelemetryLane} {
		eventually(t, "three ticks", func() bool {
			es := readAll(t, j.Lane(n), 100)
			for _, e := range es {
				if e.Kind != Tick || time.Since(time.Unix(0, e.ReceivedNS)) > time.Minute {
					t.Fatalf("lane %s: %+v", n, e)
				}
			}
			return len(es) >= 3
		})
	}
}
