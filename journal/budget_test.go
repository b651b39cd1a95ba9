package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// smallLife is a life.db of 8 MiB: events may take 4.4 MiB of it, and one sender 225 KiB.
func smallLife(t *testing.T) Config {
	t.Helper()
	cfg := testConfig(t)
	cfg.LifeMaxBytes, cfg.BulkMaxBytes = 8*mib, 8*mib
	return cfg
}

// flood submits a device's messages until they are refused, and gives the refusal.
func flood(t *testing.T, l *Lane, device string, payload int) (taken int, refusal error) {
	t.Helper()
	for i := range 100_000 {
		m := Message{Kind: Publish, Device: device, Client: device, Topic: "wh/v1/" + device + "/event", Payload: noise(int64(i), payload)}
		if _, err := l.Append(context.Background(), m); err != nil {
			return taken, err
		}
		taken++
	}
	t.Fatalf("%s was never refused", device)
	return 0, nil
}

// One sender holds a twentieth of the events' budget at most, whatever it sends; everybody else, sessions, the ledger and the keys
// do not notice.
func TestOneSenderCannotTakeTheOthersSpace(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, size := range []int{100, 3000, 16 << 10, 120_000} {
		j := openTest(t, smallLife(t))
		l := j.Lane(EventLane)
		if _, err := l.Cursor(ctx, "alerts"); err != nil { // nothing is decided, nothing may be purged
			t.Fatal(err)
		}
		taken, err := flood(t, l, "eb-flood", size)
		if !errors.Is(err, ErrSenderFull) || taken == 0 {
			t.Fatalf("%d messages of %d bytes, then %v, want ErrSenderFull", taken, size, err)
		}
		if used := j.Health().Life.UsedRatio; used > 0.1 {
			t.Errorf("messages of %d bytes: one sender took %.0f %% of life.db", size, 100*used)
		}
		if _, err := l.Append(ctx, press(1)); err != nil {
			t.Errorf("another's press: %v", err)
		}
		session := Message{Kind: Connect, Device: "eb-2", Payload: []byte("{}")}
		_, serr := j.Lane(StateLane).Append(ctx, session)
		_, cerr := j.Chain("ledger").Append(ctx, 0, noise(1, 100_000))
		if err := errors.Join(serr, cerr, j.KV("sessions").Put(ctx, "k", noise(2, 10_000))); err != nil {
			t.Errorf("session, ledger, keys: %v", err)
		}
		closeIt(t, j)
	}
}

// From four fifths of its share on a sender is let in now and then, so that a device that has said too much can still call.
func TestAFullSenderIsLetInNowAndThen(t *testing.T) {
	l := openTest(t, smallLife(t)).Lane(EventLane)
	if _, err := flood(t, l, "eb-flood", 3000); !errors.Is(err, ErrSenderFull) {
		t.Fatal(err)
	}
	if err := l.Submit(Message{Kind: Publish, Device: "eb-flood", Payload: []byte("sos")}, nil); !errors.Is(err, ErrSenderFull) {
		t.Fatalf("at once: %v", err)
	}
	l.mu.Lock()
	l.senders["eb-flood"].letIn = l.senders["eb-flood"].letIn.Add(-trickleEvery)
	l.mu.Unlock()
	if err := l.Submit(Message{Kind: Publish, Device: "eb-flood", Payload: []byte("sos")}, nil); err != nil {
		t.Errorf("%v later: %v", trickleEvery, err)
	}
}

// Sessions are counted, too: who signs in without end is refused alone, and the end of each session is noted all the same.
func TestSessionsCountForTheirSender(t *testing.T) {
	t.Parallel()
	l := openTest(t, smallLife(t)).Lane(StateLane)
	record := func(device string, k Kind) error {
		_, err := l.Append(context.Background(), Message{Kind: k, Device: device, Client: device, Payload: noise(1, 300)})
		return err
	}
	var err error
	for i := 0; err == nil && i < 10_000; i++ {
		err = record("bin-flap", Connect)
	}
	if !errors.Is(err, ErrSenderFull) {
		t.Fatalf("signing in without end: %v", err)
	}
	if err := errors.Join(record("bin-flap", Disconnect), record("bin-1", Connect), record("", HubStart)); err != nil {
		t.Error(err)
	}
}

// A bridge speaks for many and may hold half; its devices are not told apart here.
func TestABridgeMayHoldMore(t *testing.T) {
	j := openTest(t, smallLife(t))
	l := j.Lane(EventLane)
	device, _ := flood(t, l, "eb-flood", 3000)
	bridge := 0
	for err := error(nil); err == nil; bridge++ {
		m := Message{Kind: Publish, Device: "chirpstack", Many: true, Payload: noise(int64(bridge), 3000)}
		if _, err = l.Append(context.Background(), m); err != nil && !errors.Is(err, ErrSenderFull) {
			t.Fatal(err)
		}
	}
	if bridge < 8*device {
		t.Errorf("a bridge was refused after %d messages, a device after %d", bridge, device)
	}
}

// In life.db a payload over 16 KiB leaves its bulk behind: the message is kept, numbered and acknowledged all the same.
func TestALargeCallIsKeptWithoutItsBulk(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(t)
	j := openTest(t, cfg)
	large := noise(1, 120_000)
	for _, n := range []LaneName{EventLane, StateLane, TelemetryLane} {
		for _, p := range [][]byte{large[:MaxLifePayload], large[:MaxLifePayload+1], large} {
			if _, err := j.Lane(n).Append(ctx, Message{Kind: Publish, Device: "eb-1", Topic: "t", Payload: p}); err != nil {
				t.Fatal(err)
			}
		}
	}
	closeIt(t, j)
	j = openTest(t, cfg)
	for n, want := range map[LaneName][3][2]int{ // length kept, length said
		EventLane:     {{MaxLifePayload, 0}, {keptLifePayload, MaxLifePayload + 1}, {keptLifePayload, 120_000}},
		StateLane:     {{MaxLifePayload, 0}, {keptLifePayload, MaxLifePayload + 1}, {keptLifePayload, 120_000}},
		TelemetryLane: {{MaxLifePayload, 0}, {MaxLifePayload + 1, 0}, {120_000, 0}},
	} {
		for i, e := range readAll(t, j.Lane(n), 10) {
			if got := [2]int{len(e.Payload), e.Cut}; got != want[i] || !bytes.HasPrefix(large, e.Payload) {
				t.Errorf("lane %s message %d: kept and said %v, want %v", n, i, got, want[i])
			}
		}
	}
}

// A life.db whose events have used up their part opens: the start is noted, the ledger goes on, and who took the space is named.
func TestAFullFileOpens(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := smallLife(t)
	j := openTest(t, cfg)
	l := j.Lane(EventLane)
	if _, err := l.Cursor(ctx, "alerts"); err != nil {
		t.Fatal(err)
	}
	full := func() (err error) {
		for i := 0; !errors.Is(err, ErrLaneFull) || errors.Is(err, ErrSenderFull); i++ {
			m := Message{Kind: Publish, Device: fmt.Sprintf("eb-%d", i%40), Payload: noise(int64(i), 6000)}
			_, err = l.Append(ctx, m)
			if err != nil && !errors.Is(err, ErrLaneFull) {
				t.Fatal(err)
			}
		}
		return err
	}
	_ = full()
	closeIt(t, j)
	j = openTest(t, cfg)
	l = j.Lane(EventLane)
	if _, err := j.Lane(StateLane).Append(ctx, Message{Kind: HubStart, Payload: []byte("{}")}); err != nil {
		t.Errorf("the start of the hub: %v", err)
	}
	if _, err := j.Chain("ledger").Append(ctx, 0, noise(1, 100_000)); err != nil {
		t.Errorf("a step: %v", err)
	}
	_ = full()
	h := j.Health()
	if len(h.Full) != 1 || h.Full[0].Lane != EventLane || len(h.Full[0].Senders) != maxNamed || h.Full[0].Senders[0].Share > 0.05 {
		t.Errorf("health names %+v", h.Full)
	}
	if err := l.SetCursor(ctx, "alerts", l.Head()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "room once it is decided", func() bool { return l.Submit(press(1), nil) == nil })
}

// A file that an earlier program, or a larger cap, filled to the brim opens, too: the ledger is not stopped by messages, so they are
// decided, and then they make room.
func TestAFileBeyondItsCapRecovers(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := smallLife(t)
	cfg.LifeMaxBytes = 64 * mib
	j := openTest(t, cfg)
	l := j.Lane(EventLane)
	for i := range 1500 {
		if _, err := l.Append(ctx, Message{Kind: Publish, Device: fmt.Sprint("eb-", i), Payload: noise(int64(i), 8000)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Cursor(ctx, "alerts"); err != nil {
		t.Fatal(err)
	}
	closeIt(t, j)
	cfg.LifeMaxBytes = 8 * mib
	j = openTest(t, cfg)
	l = j.Lane(EventLane)
	if r := j.Health().Life.UsedRatio; r < 1 {
		t.Fatalf("the file is only %.2f full", r)
	}
	if _, err := j.Chain("ledger").Append(ctx, 0, noise(1, 10_000)); err != nil {
		t.Errorf("a step: %v", err)
	}
	if err := l.Submit(press(1), nil); !errors.Is(err, ErrLaneFull) {
		t.Errorf("an event: %v, want ErrLaneFull", err)
	}
	if err := l.SetCursor(ctx, "alerts", l.Head()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "room once it is decided", func() bool { j.Purge(ctx); return l.Submit(press(1), nil) == nil })
}

// Rejects and dead letters have their own part of bulk.db: neither they nor one sender's telemetry take the others'.
func TestBulkIsSharedOut(t *testing.T) {
	t.Parallel()
	j := openTest(t, smallLife(t))
	l := j.Lane(TelemetryLane)
	if _, err := l.Cursor(context.Background(), "ingest"); err != nil {
		t.Fatal(err)
	}
	for _, name := range streamNames() {
		s := j.Stream(name)
		eventually(t, "a sender's share of the stream", func() bool {
			s.AddFrom("bin-flood", 1, noise(1, 1000))
			return s.Dropped() > 0
		})
		before := s.Dropped()
		if s.AddFrom("bin-1", 1, []byte("{}")); s.Dropped() != before {
			t.Errorf("%s: another's record was dropped", name)
		}
		eventually(t, "a full stream", func() bool {
			s.Add(1, noise(1, 30_000))
			return s.Dropped() > before
		})
	}
	if _, err := flood(t, l, "bin-flood", 100_000); !errors.Is(err, ErrSenderFull) {
		t.Fatal(err)
	}
	if _, err := l.Append(context.Background(), press(1)); err != nil {
		t.Errorf("another's telemetry: %v", err)
	}
}

// The accounts say what the frames say, whatever was purged, restarted or lost with a kill.
func TestAccountsAreWhatTheFramesSay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s := newStores()
		open := func() *Journal {
			return openOn(t, s, dir, func(c *Config) { c.LifeMaxBytes = 8 * mib }) // every sender has weight
		}
		j := open()
		defer func() { closeIt(t, j) }()
		t.Repeat(map[string]func(*rapid.T){
			"submit": func(t *rapid.T) {
				for range rapid.IntRange(1, 30).Draw(t, "messages") {
					m := Message{Kind: Publish, Many: true, Device: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "device"), Payload: make([]byte, rapid.IntRange(0, 900).Draw(t, "size"))}
					if _, err := j.Lane(EventLane).Append(context.Background(), m); err != nil {
						t.Fatalf("append: %v", err)
					}
				}
			},
			"purge": func(t *rapid.T) {
				j.purging.Lock()
				defer j.purging.Unlock()
				l := j.Lane(EventLane)
				first, last, err := l.purgeable(context.Background())
				if err == nil && first <= last {
					err = l.remove(context.Background(), first, first+(last-first)/2)
				}
				if err != nil {
					t.Fatalf("purge: %v", err)
				}
			},
			"save": func(*rapid.T) { j.saveAccounts(context.Background()) },
			"restart": func(t *rapid.T) {
				closeIt(t, j)
				j = open()
			},
			"": func(t *rapid.T) { checkAccounts(t, j) },
		})
	})
}

func checkAccounts(t *rapid.T, j *Journal) {
	l := j.Lane(EventLane)
	eventually(t, "the recount", func() bool {
		j.purging.Lock()
		defer j.purging.Unlock()
		return l.counted >= l.found
	})
	var stored int64
	want := map[string]int64{}
	for _, e := range readAll(t, l, 1000) {
		want[e.Device] += accountSize(&e.Message)
	}
	recs, err := l.log.Read(context.Background(), 1, 1<<20, 1<<30)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	for _, r := range recs {
		stored += recordSize(len(r.Body))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	got := map[string]int64{}
	for id, u := range l.senders {
		if got[id] = u.stored; u.waiting != 0 {
			t.Fatalf("%s has %d bytes on their way, nothing is", id, u.waiting)
		}
	}
	if !maps.Equal(got, want) || l.stored != stored || l.file.messages.Load() < stored {
		t.Fatalf("accounts %v and %d bytes, the frames hold %v and %d", got, l.stored, want, stored)
	}
}
