package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// guess has an attempt fail, and tells how long it had to wait.
func guess(th *throttle, a attempt, now time.Time) time.Duration {
	wait := th.begin(a, now)
	if wait == 0 {
		th.end(a, wrong, now)
	}
	return wait
}

func TestGuessingANameFromAnAddressIsSlowed(t *testing.T) {
	now, th := time.Unix(1_700_000_000, 0), newThrottle()
	root := attempt{address: "10.0.0.1", user: "root"}
	for i := range freeTries {
		if wait := guess(th, root, now); wait != 0 {
			t.Fatalf("attempt %d must wait %v", i+1, wait)
		}
	}
	for _, seconds := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		if wait := guess(th, root, now); wait != seconds*time.Second {
			t.Fatalf("the delay is %v, want %d s", wait, seconds)
		}
		now = now.Add(seconds * time.Second)
		if wait := guess(th, root, now); wait != 0 {
			t.Fatalf("after its delay it waits %v", wait)
		}
	}
	if wait := guess(th, attempt{address: "10.0.0.1", user: "anna"}, now); wait != 0 {
		t.Errorf("a colleague waits %v", wait)
	}
	if wait := guess(th, root, now.Add(forgetTries)); wait != 0 {
		t.Errorf("after a quarter of an hour it waits %v", wait)
	}
	th.end(root, right, now)
	if wait := guess(th, root, now); wait != 0 {
		t.Errorf("after a success it waits %v", wait)
	}
}

// Whatever strangers do, from wherever, the user gets in: from another address at once, and with a browser that is known from the very
// same one.
func TestStrangersKeepNobodyOut(t *testing.T) {
	now, th := time.Unix(1_700_000_000, 0), newThrottle()
	for i := range 10_000 {
		guess(th, attempt{address: "10.0.0.1", user: "anna"}, now)
		guess(th, attempt{address: "10.0.0.1", user: fmt.Sprint("name", i)}, now)
		guess(th, attempt{address: fmt.Sprint("10.1.", i/250, ".", i%250), user: "anna"}, now)
		now = now.Add(time.Millisecond)
	}
	for name, a := range map[string]attempt{
		"another address":                      {address: "10.2.0.1", user: "anna"},
		"a known browser":                      {address: "10.0.0.1", user: "anna", browser: "b"},
		"another name behind the same address": {address: "10.0.0.1", user: "peter"},
	} {
		if wait := th.begin(a, now); wait != 0 {
			t.Errorf("%s waits %v", name, wait)
		}
		th.end(a, right, now)
	}
	stolen := attempt{address: "10.0.0.1", user: "anna", browser: "stolen"}
	for range freeTries {
		guess(th, stolen, now)
	}
	if guess(th, stolen, now) == 0 {
		t.Error("a stolen mark can guess for ever")
	}
}

func TestOneAddressHasFewAttemptsUnderWay(t *testing.T) {
	now, th := time.Unix(1_700_000_000, 0), newThrottle()
	flying := func(i int) attempt { return attempt{address: "10.0.0.1", user: fmt.Sprint("name", i)} }
	for i := range maxFlying {
		if wait := th.begin(flying(i), now); wait != 0 {
			t.Fatalf("attempt %d waits %v", i, wait)
		}
	}
	if th.begin(flying(maxFlying), now) == 0 {
		t.Error("an address may have any number of attempts under way")
	}
	th.end(flying(0), untried, now)
	if wait := th.begin(flying(maxFlying), now); wait != 0 {
		t.Errorf("when one has ended the next waits %v", wait)
	}
}

func TestAnAttemptThatWasNotTriedDoesNotCount(t *testing.T) {
	now, th := time.Unix(1_700_000_000, 0), newThrottle()
	a := attempt{address: "10.0.0.1", user: "anna"}
	for range 10 * freeTries {
		if wait := th.begin(a, now); wait != 0 {
			t.Fatalf("waits %v", wait)
		}
		th.end(a, untried, now)
	}
}

func TestAnIPv6NetworkIsOneAddress(t *testing.T) {
	for address, want := range map[string]string{
		"10.0.0.1": "10.0.0.1", "::ffff:10.0.0.1": "::ffff:10.0.0.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "x": "x",
	} {
		if got := network(address); got != want {
			t.Errorf("%s counts as %s, want %s", address, got, want)
		}
	}
}

func TestThrottleIsBounded(t *testing.T) {
	now, th := time.Unix(1_700_000_000, 0), newThrottle()
	root := attempt{address: "10.0.0.1", user: "root"}
	for range freeTries {
		guess(th, root, now)
	}
	for i := range 10 * maxTries {
		guess(th, attempt{address: fmt.Sprint("10.", i), user: "root"}, now)
		if i%1000 == 0 && guess(th, root, now) == 0 {
			t.Fatalf("a guesser who goes on is forgotten after %d others", i)
		}
	}
	if n := len(th.young) + len(th.old); n > 2*maxTries {
		t.Errorf("%d entries are kept", n)
	}
}

// Refused sign-ins are in the audit, and a flood of them does not fill it.
func TestFailuresInTheAuditAreBounded(t *testing.T) {
	now, f := time.Unix(1_700_000_000, 0), &failedLogins{}
	anna := attempt{address: "10.0.0.1", user: "anna"}
	if text := f.note(anna, now); text != "1 refused" {
		t.Errorf("the first is told as %q", text)
	}
	for range 99 {
		if text := f.note(anna, now.Add(time.Second)); text != "" {
			t.Fatalf("within a minute there is another entry: %q", text)
		}
	}
	if text := f.note(anna, now.Add(time.Minute)); text != "100 refused" {
		t.Errorf("after a minute: %q, want the 100 since", text)
	}
	entries := 0
	for i := range 100_000 {
		if f.note(attempt{address: fmt.Sprint(i)}, now.Add(2*time.Minute)) != "" {
			entries++
		}
	}
	if entries != failuresPerMinute || len(f.since) > maxFailures {
		t.Errorf("%d entries of a flood, want %d; %d remembered", entries, failuresPerMinute, len(f.since))
	}
	if text := f.note(anna, now.Add(3*time.Minute)); !strings.Contains(text, "more of others") {
		t.Errorf("the unlisted are not told: %q", text)
	}
}

// What the hub cannot store now is said to be the hub's, with a reason, and never an internal error.
func TestProblemsOfTheStore(t *testing.T) {
	for err, want := range map[error]int{
		journal.ErrUnavailable: http.StatusServiceUnavailable, journal.ErrLaneFull: http.StatusServiceUnavailable,
		journal.ErrClosed: http.StatusServiceUnavailable, journal.ErrConflict: http.StatusServiceUnavailable,
		journal.ErrTooLarge: http.StatusRequestEntityTooLarge, journal.ErrNotFound: http.StatusNotFound,
	} {
		p := asProblem(fmt.Errorf("append change set: %w", err))
		if p.Status != want || p.Detail == "" || strings.Contains(p.Detail, "request id") {
			t.Errorf("%v: %d %q, want %d", err, p.Status, p.Detail, want)
		}
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
