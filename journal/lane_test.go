package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"watchhouse/journal/engine"
	"watchhouse/journal/engine/enginetest"
)

func engineRecord(b []byte) engine.Record { return engine.Record{Seq: 1, Body: b} }

// openOn opens a journal on memory engines.
func openOn(t fatal, s *stores, dir string, adjust ...func(*Config)) *Journal {
	t.Helper()
	cfg := DefaultConfig()
	for _, change := range adjust {
		change(&cfg)
	}
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

// Messages that wait behind a failing frame must not wait for an answer in vain: they hear of the failure at once, in order,
// and are stored all the same when the disk is back.
func TestWaitingMessagesHearOfAFailure(t *testing.T) {
	s := newStores()
	dir := t.TempDir()
	j := openOn(t, s, dir)
	entered, failing := make(chan struct{}, 100), make(chan struct{})
	var ok atomic.Bool
	s.at(lifeFile).Inject(func(string, uint64) enginetest.Fault {
		if ok.Load() {
			return enginetest.Succeed
		}
		entered <- struct{}{}
		<-failing
		return enginetest.FailBefore
	})
	l := j.Lane(EventLane)
	const n = 200 // several frames of 4 KiB
	heard := make(chan int, n)
	submit := func(i int) {
		err := l.Submit(press(i), func(_ Receipt, err error) {
			if err == nil {
				t.Errorf("message %d was acknowledged", i)
			}
			heard <- i
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	submit(0)
	<-entered
	for i := 1; i < n; i++ {
		submit(i)
	}
	close(failing)
	for i := range n {
		if got := <-heard; got != i {
			t.Fatalf("message %d heard of the failure, want %d", got, i)
		}
	}
	ok.Store(true)
	eventually(t, "recovery", func() bool {
		_, err := l.Append(context.Background(), press(n))
		return err == nil
	})
	closeIt(t, j)
	j = openOn(t, s, dir)
	defer closeIt(t, j)
	es := readAll(t, j.Lane(EventLane), 100)
	if len(es) != n+1 {
		t.Fatalf("%d messages stored, want %d", len(es), n+1)
	}
	for i, e := range es {
		if string(e.Payload) != string(press(i).Payload) {
			t.Fatalf("entry %d is %s", i+1, e.Payload)
		}
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
				m := Message{Kind: Publish, Client: strconv.Itoa(c), Payload: fmt.Append(nil, i)}
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
		if string(e.Payload) != strconv.Itoa(next[e.Client]) {
			t.Fatalf("client %s: %s where %d should be", e.Client, e.Payload, next[e.Client])
		}
		next[e.Client]++
	}
	for c := range clients {
		if next[strconv.Itoa(c)] != each {
			t.Errorf("client %d: %d messages stored", c, next[strconv.Itoa(c)])
		}
	}
}

func TestTooLarge(t *testing.T) {
	j := openTest(t, testConfig(t))
	l := j.Lane(TelemetryLane)
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
	t.Parallel()
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
	t.Parallel()
	cfg := testConfig(t)
	cfg.LifeMaxBytes = minFileBytes
	j := openTest(t, cfg)
	ctx := context.Background()
	m := press(1)
	for i := range 20_000 {
		m.Device, m.Payload = fmt.Sprint("bin-", i), noise(int64(i), 3000)
		if _, err := j.Lane(StateLane).Append(ctx, m); errors.Is(err, ErrLaneFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if r := j.Health().Life.UsedRatio; r < stateBudget || r > eventBudget {
		t.Errorf("state lane full at %.2f of the cap", r)
	}
	if err := j.Lane(StateLane).Submit(Message{Kind: Connect, Device: "eb-1", Payload: []byte("{}")}, nil); err != nil {
		t.Errorf("a session with the state lane full: %v", err)
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
