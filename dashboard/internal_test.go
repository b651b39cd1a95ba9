package dashboard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"watchhouse/journal"
)

func TestConfigNamesTheFaultyKey(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for key, spoil := range map[string]func(*Config){
		"session_lifetime":  func(c *Config) { c.SessionLifetime = 0 },
		"session_idle":      func(c *Config) { c.SessionIdle = c.SessionLifetime + 1 },
		"heartbeat":         func(c *Config) { c.Heartbeat = time.Minute },
		"device_interval":   func(c *Config) { c.DeviceInterval = 0 },
		"snapshot_interval": func(c *Config) { c.SnapshotInterval = 0 },
		"max_body_bytes":    func(c *Config) { c.MaxBodyBytes = 1 },
		"max_streams":       func(c *Config) { c.MaxStreams = 0 },
		"catch_up_messages": func(c *Config) { c.CatchUpMessages = -1 },
		"trusted_origins":   func(c *Config) { c.TrustedOrigins = []string{"https://a.example/path"} },
	} {
		c := DefaultConfig()
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+":") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestThrottle(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	th := newThrottle()
	for i := range freeTries {
		if wait := th.begin("10.0.0.1", "root", now); wait != 0 {
			t.Fatalf("attempt %d must wait %v", i+1, wait)
		}
	}
	if wait := th.begin("10.0.0.1", "root", now); wait != time.Second {
		t.Errorf("the sixth waits %v, want 1 s", wait)
	}
	if wait := th.begin("10.0.0.2", "root", now); wait != 0 {
		t.Errorf("another desk waits %v for a guesser elsewhere", wait)
	}
	if wait := th.begin("10.0.0.1", "anna", now); wait != 0 {
		t.Errorf("a colleague waits %v", wait)
	}
	now = now.Add(time.Second)
	th.begin("10.0.0.1", "root", now)
	if wait := th.begin("10.0.0.1", "root", now); wait != 2*time.Second {
		t.Errorf("the lock is %v, want doubled", wait)
	}
	th.succeed("10.0.0.1", "root", now)
	if wait := th.begin("10.0.0.1", "root", now); wait != 0 {
		t.Errorf("after a success: %v", wait)
	}
	if wait := th.begin("10.0.0.1", "root", now.Add(forgetTries)); wait != 0 {
		t.Errorf("after a quarter of an hour: %v", wait)
	}
}

func TestThrottleCountsAnAddressThatTriesManyNames(t *testing.T) {
	now, th := time.Unix(1_700_000_000, 0), newThrottle()
	for i := range freeAddressTries {
		if wait := th.begin("10.0.0.1", fmt.Sprint("name", i), now); wait != 0 {
			t.Fatalf("attempt %d waits %v", i, wait)
		}
	}
	if wait := th.begin("10.0.0.1", "another", now); wait == 0 {
		t.Error("names can be tried for ever")
	}
}

func TestThrottleIsBounded(t *testing.T) {
	now, th := time.Unix(1_700_000_000, 0), newThrottle()
	for range freeTries {
		th.begin("10.0.0.1", "root", now)
	}
	for i := range 10 * maxTries {
		th.begin(fmt.Sprint("10.", i), "root", now)
		if i%1000 == 0 && th.begin("10.0.0.1", "root", now) == 0 {
			t.Fatalf("a guesser who goes on is forgotten after %d others", i)
		}
	}
	if n := len(th.young) + len(th.old); n > 2*maxTries {
		t.Errorf("%d entries are kept", n)
	}
}

func FuzzCursors(f *testing.F) {
	for _, s := range []string{"", numberCursor(7), timeCursor{5, "I1"}.encode(), "AAAA", "****", encodeCursor("a", "b", "c"), encodeCursor("-1")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseNumberCursor(s)
		if err == nil && n != 0 {
			if back, err := parseNumberCursor(numberCursor(n)); err != nil || back != n {
				t.Errorf("%q is %d, then %d, %v", s, n, back, err)
			}
		}
		c, err := parseTimeCursor(s)
		if err == nil && s != "" {
			if back, err := parseTimeCursor(c.encode()); err != nil || back != c {
				t.Errorf("%q is %+v, then %+v, %v", s, c, back, err)
			}
		}
		if _, err := parseIfMatch(s); err == nil && (len(s) < 3 || s[0] != '"') {
			t.Errorf("%q is an entity tag", s)
		}
	})
}

// numbers is a lane of n entries, of which the first are purged and one can not be read.
type numbers struct{ first, last, gap uint64 }

func (l numbers) First() journal.Position { return journal.Position{Frame: l.first} }

func (l numbers) Depth(p journal.Position) uint64 { return l.last + 1 - p.Frame }

func (l numbers) Locate(_ context.Context, id uint64) (journal.Position, error) {
	return journal.Position{Frame: max(id, l.first)}, nil
}

func (l numbers) Read(_ context.Context, from journal.Position, limit int) (out []journal.Entry, next journal.Position, err error) {
	n := max(from.Frame, l.first)
	for ; n <= l.last && len(out) < min(limit, 100); n++ {
		if n == l.gap {
			return out, journal.Position{Frame: n}, &journal.GapError{From: n, To: n, Resume: journal.Position{Frame: n + 1}, Err: journal.ErrDamaged}
		}
		out = append(out, journal.Entry{ID: n, Pos: journal.Position{Frame: n}})
	}
	return out, journal.Position{Frame: n}, nil
}

func TestBackward(t *testing.T) {
	for _, l := range []numbers{{1, 0, 0}, {1, 1, 0}, {1, 3000, 0}, {500, 3000, 0}, {500, 3000, 500}, {1, 3000, 2999}, {1, 600, 89}, {1, 50_000, 7}} {
		var got []uint64
		before, calls := uint64(0), 0
		for {
			var err error
			taken := 0
			before, err = backward(context.Background(), l, before, func(e journal.Entry) bool {
				got = append(got, e.ID)
				taken++
				return taken < 777
			})
			if err != nil {
				t.Fatal(err)
			}
			if calls++; before == 0 || calls > 1000 {
				break
			}
		}
		want := l.last
		for _, id := range got {
			if want == l.gap {
				want--
			}
			if id != want {
				t.Fatalf("%+v: got %d, want %d", l, id, want)
			}
			want--
		}
		if want >= l.first && l.last > 0 && want != l.gap {
			t.Errorf("%+v: ended before %d", l, want)
		}
	}
}

func TestBackwardReportsADeadLane(t *testing.T) {
	_, err := backward(context.Background(), deadLane{}, 0, func(journal.Entry) bool { return true })
	if !errors.Is(err, journal.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

type deadLane struct{ numbers }

func (deadLane) Read(context.Context, journal.Position, int) ([]journal.Entry, journal.Position, error) {
	return nil, journal.Position{}, journal.ErrClosed
}
