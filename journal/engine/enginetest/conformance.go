package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchhouse/journal/engine"
)

// Opener opens an engine on the place it closes over; the second call on a place finds what the first stored.
type Opener func(t TB) engine.Engine

// TB is what testing.TB and rapid.T share.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// patience bounds what must come promptly.
const patience = 10 * time.Second

// Run checks an engine. place gives an Opener for a new, empty place.
func Run(t *testing.T, place func(t *testing.T) Opener) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, open Opener)
	}{
		{"appends run on and read back", testAppend},
		{"several records at once are all or none", testTogether},
		{"only one of two writers wins", testConflict},
		{"concurrent appends to many logs", testConcurrent},
		{"wait is woken by an append", testWait},
		{"purge keeps the last and the numbering", testPurge},
		{"keys", testKeys},
		{"names are checked", testNames},
		{"a reopened engine goes on", testReopen},
		{"a closed engine refuses", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, place(t)) })
	}
	t.Run("model", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) { testModel(rt, place(t)) })
	})
}

func withEngine(t TB, open Opener, f func(ctx context.Context, e engine.Engine)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	e := open(t)
	f(ctx, e)
	if err := e.Close(ctx); err != nil {
		t.Fatalf("close: %v", err)
	}
}

func mustLog(t TB, e engine.Engine, name string) engine.Log {
	t.Helper()
	l, err := e.Log(context.Background(), name, engine.Normal)
	if err != nil {
		t.Fatalf("log %s: %v", name, err)
	}
	return l
}

func mustAppend(t TB, l engine.Log, expect uint64, body []byte) {
	t.Helper()
	if err := l.Append(context.Background(), expect, body); err != nil {
		t.Fatalf("append %d: %v", expect+1, err)
	}
}

// content reads a whole log in small steps and checks that it has no hole.
func content(t TB, l engine.Log) []engine.Record {
	t.Helper()
	ctx := context.Background()
	first, last, err := l.Bounds(ctx)
	if err != nil {
		t.Fatalf("bounds: %v", err)
	}
	var out []engine.Record
	for next := first; next != 0 && next <= last; {
		recs, err := l.Read(ctx, next, 3, 1<<20)
		if err != nil || len(recs) == 0 || len(recs) > 3 {
			t.Fatalf("read from %d of %d to %d: %d records, %v", next, first, last, len(recs), err)
		}
		for _, r := range recs {
			if r.Seq != next {
				t.Fatalf("record %d where %d should be", r.Seq, next)
			}
			next++
		}
		out = append(out, recs...)
	}
	return out
}

func testAppend(t *testing.T, open Opener) {
	withEngine(t, open, func(ctx context.Context, e engine.Engine) {
		l := mustLog(t, e, "a")
		if first, last, err := l.Bounds(ctx); first != 0 || last != 0 || err != nil {
			t.Fatalf("bounds of an empty log: %d %d %v", first, last, err)
		}
		bodies := [][]byte{{}, []byte("x"), bytes.Repeat([]byte{0, 1, 255}, 100_000)}
		for i, b := range bodies {
			mustAppend(t, l, uint64(i), b)
		}
		got := content(t, l)
		for i, b := range bodies {
			if !bytes.Equal(got[i].Body, b) {
				t.Fatalf("record %d differs", i+1)
			}
		}
		recs, err := l.Read(ctx, 1, 10, 0)
		if err != nil || len(recs) != 1 && len(recs) != 2 {
			t.Fatalf("a byte limit of 0 gave %d records, %v", len(recs), err)
		}
		if recs, err := l.Read(ctx, 4, 10, 100); err != nil || len(recs) != 0 {
			t.Fatalf("reading beyond the end gave %d records, %v", len(recs), err)
		}
	})
}

func testTogether(t *testing.T, open Opener) {
	withEngine(t, open, func(ctx context.Context, e engine.Engine) {
		l := mustLog(t, e, "a")
		if err := l.Append(ctx, 0, []byte("1"), []byte("2"), []byte("3")); err != nil {
			t.Fatalf("append: %v", err)
		}
		if err := l.Append(ctx, 2, []byte("x"), []byte("y")); !errors.Is(err, engine.ErrConflict) {
			t.Fatalf("append in the middle: %v", err)
		}
		if err := l.Append(ctx, 3, []byte("4"), []byte("5")); err != nil {
			t.Fatalf("append: %v", err)
		}
		for i, r := range content(t, l) {
			if string(r.Body) != strconv.Itoa(i+1) {
				t.Fatalf("record %d is %q", i+1, r.Body)
			}
		}
		if _, last, _ := l.Bounds(ctx); last != 5 {
			t.Fatalf("%d records, want 5", last)
		}
	})
}

func testConflict(t *testing.T, open Opener) {
	withEngine(t, open, func(ctx context.Context, e engine.Engine) {
		l := mustLog(t, e, "a")
		for _, expect := range []uint64{1, 7} {
			if err := l.Append(ctx, expect, []byte("x")); !errors.Is(err, engine.ErrConflict) {
				t.Fatalf("expecting %d on an empty log: %v", expect, err)
			}
		}
		var wg sync.WaitGroup
		won := make(chan int, 8)
		for i := range 8 {
			wg.Go(func() {
				err := l.Append(ctx, 0, []byte{byte(i)})
				if err == nil {
					won <- i
				} else if !errors.Is(err, engine.ErrConflict) {
					t.Errorf("loser: %v", err)
				}
			})
		}
		wg.Wait()
		if got := content(t, l); len(won) != 1 || len(got) != 1 || int(got[0].Body[0]) != <-won {
			t.Fatalf("%d records, want the winner's only", len(got))
		}
	})
}

func testConcurrent(t *testing.T, open Opener) {
	withEngine(t, open, func(ctx context.Context, e engine.Engine) {
		var wg sync.WaitGroup
		for w := range 5 {
			l := mustLog(t, e, fmt.Sprintf("log%d", w))
			wg.Go(func() {
				for i := range uint64(20) {
					if err := l.Append(ctx, i, fmt.Appendf(nil, "%d-%d", w, i+1)); err != nil {
						t.Error(err)
					}
					if err := e.Put(ctx, "b", strconv.Itoa(w), fmt.Append(nil, i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for w := range 5 {
			for i, r := range content(t, mustLog(t, e, fmt.Sprintf("log%d", w))) {
				if want := fmt.Sprintf("%d-%d", w, i+1); string(r.Body) != want {
					t.Fatalf("record %q, want %q", r.Body, want)
				}
			}
			if v, err := e.Get(ctx, "b", strconv.Itoa(w)); string(v) != "19" {
				t.Fatalf("key: %q %v", v, err)
			}
		}
		if names, err := e.Logs(ctx); err != nil || !slices.Equal(names, []string{"log0", "log1", "log2", "log3", "log4"}) {
			t.Fatalf("logs: %v %v", names, err)
		}
	})
}

func testWait(t *testing.T, open Opener) {
	withEngine(t, open, func(ctx context.Context, e engine.Engine) {
		l := mustLog(t, e, "a")
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		if err := l.Wait(short, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("wait on an empty log: %v", err)
		}
		woken := make(chan error, 1)
		go func() { woken <- l.Wait(ctx, 1) }()
		mustAppend(t, l, 0, []byte("x"))
		mustAppend(t, l, 1, []byte("y"))
		if err := <-woken; err != nil {
			t.Fatalf("wait: %v", err)
		}
	})
}

func testPurge(t *testing.T, open Opener) {
	withEngine(t, open, func(ctx context.Context, e engine.Engine) {
		l := mustLog(t, e, "a")
		if err := l.Purge(ctx, 5); err != nil {
			t.Fatalf("purge of an empty log: %v", err)
		}
		for i := range uint64(200) {
			mustAppend(t, l, i, []byte{byte(i)})
		}
		for _, c := range []struct{ upTo, first uint64 }{{150, 151}, {3, 151}, {1000, 200}} {
			if err := l.Purge(ctx, c.upTo); err != nil {
				t.Fatalf("purge: %v", err)
			}
			if first, last, _ := l.Bounds(ctx); first != c.first || last != 200 {
				t.Fatalf("after a purge up to %d: %d to %d, want %d to 200", c.upTo, first, last, c.first)
			}
		}
		mustAppend(t, l, 200, []byte("z"))
	})
	withEngine(t, open, func(_ context.Context, e engine.Engine) {
		mustAppend(t, mustLog(t, e, "a"), 201, []byte("z"))
	})
}

func testKeys(t *testing.T, open Opener) {
	withEngine(t, open, func(ctx context.Context, e engine.Engine) {
		if _, err := e.Get(ctx, "b", "k"); !errors.Is(err, engine.ErrNotFound) {
			t.Fatalf("absent key: %v", err)
		}
		for _, k := range []string{"b", "a"} {
			if err := e.Put(ctx, "b", k, []byte(k)); err != nil {
				t.Fatalf("put: %v", err)
			}
		}
		if err := errors.Join(e.Put(ctx, "b", "empty", nil), e.Put(ctx, "other", "c", []byte("c"))); err != nil {
			t.Fatalf("put: %v", err)
		}
		if keys, err := e.Keys(ctx, "b"); err != nil || !slices.Equal(keys, []string{"a", "b", "empty"}) {
			t.Fatalf("keys: %q %v", keys, err)
		}
		if err := errors.Join(e.Delete(ctx, "b", "a"), e.Delete(ctx, "b", "absent")); err != nil {
			t.Fatalf("delete: %v", err)
		}
		if v, err := e.Get(ctx, "b", "empty"); err != nil || len(v) != 0 {
			t.Fatalf("empty value: %q %v", v, err)
		}
		e.PutLater("b", "later", []byte("1"))
		e.PutLater("b", "later", []byte("2"))
		if v, err := e.Get(ctx, "b", "later"); string(v) != "2" {
			t.Fatalf("put later, read now: %q %v", v, err)
		}
	})
	withEngine(t, open, func(ctx context.Context, e engine.Engine) {
		if v, err := e.Get(ctx, "b", "later"); string(v) != "2" {
			t.Fatalf("put later, after a restart: %q %v", v, err)
		}
		if keys, err := e.Keys(ctx, "b"); err != nil || !slices.Equal(keys, []string{"b", "empty", "later"}) {
			t.Fatalf("keys after a restart: %q %v", keys, err)
		}
	})
}

func testNames(t *testing.T, open Opener) {
	withEngine(t, open, func(ctx context.Context, e engine.Engine) {
		for _, n := range []string{"", "A", "1", "_x"} {
			if _, err := e.Log(ctx, n, engine.Normal); err == nil {
				t.Fatalf("log name %q is taken", n)
			}
		}
	})
}

func testReopen(t *testing.T, open Opener) {
	for round := range uint64(3) {
		withEngine(t, open, func(_ context.Context, e engine.Engine) {
			l := mustLog(t, e, "a")
			if got := content(t, l); len(got) != int(round) {
				t.Fatalf("round %d: %d records", round, len(got))
			}
			mustAppend(t, l, round, []byte("x"))
		})
	}
}

func testClosed(t *testing.T, open Opener) {
	e := open(t)
	l := mustLog(t, e, "a")
	ctx := context.Background()
	if err := errors.Join(e.Close(ctx), e.Close(ctx)); err != nil {
		t.Fatalf("close twice: %v", err)
	}
	if err := l.Append(ctx, 0, []byte("x")); !errors.Is(err, engine.ErrClosed) {
		t.Fatalf("append: %v", err)
	}
	if err := e.Put(ctx, "b", "k", nil); !errors.Is(err, engine.ErrClosed) {
		t.Fatalf("put: %v", err)
	}
}

// testModel drives two logs with random appends, conflicts, purges and restarts beside a slice each.
func testModel(t *rapid.T, open Opener) {
	type model struct {
		first  uint64
		bodies [][]byte
	}
	models := map[string]*model{"a": {first: 1}, "b": {first: 1}}
	e := open(t)
	name := rapid.SampledFrom([]string{"a", "b"})
	end := func(m *model) uint64 { return m.first + uint64(len(m.bodies)) - 1 }
	t.Repeat(map[string]func(*rapid.T){
		"append": func(t *rapid.T) {
			n := name.Draw(t, "log")
			m, body := models[n], rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "body")
			mustAppend(t, mustLog(t, e, n), end(m), body)
			m.bodies = append(m.bodies, body)
		},
		"conflict": func(t *rapid.T) {
			n := name.Draw(t, "log")
			wrong := rapid.Uint64Range(0, 40).Draw(t, "expect")
			if wrong == end(models[n]) {
				return
			}
			if err := mustLog(t, e, n).Append(context.Background(), wrong, nil); !errors.Is(err, engine.ErrConflict) {
				t.Fatalf("append expecting %d at %d: %v", wrong, end(models[n]), err)
			}
		},
		"purge": func(t *rapid.T) {
			n := name.Draw(t, "log")
			m, upTo := models[n], rapid.Uint64Range(0, 40).Draw(t, "up to")
			if err := mustLog(t, e, n).Purge(context.Background(), upTo); err != nil {
				t.Fatalf("purge: %v", err)
			}
			for len(m.bodies) > 1 && m.first <= upTo {
				m.first, m.bodies = m.first+1, m.bodies[1:]
			}
		},
		"restart": func(t *rapid.T) {
			if err := e.Close(context.Background()); err != nil {
				t.Fatalf("close: %v", err)
			}
			e = open(t)
		},
		"": func(t *rapid.T) {
			for n, m := range models {
				got := content(t, mustLog(t, e, n))
				if len(got) != len(m.bodies) {
					t.Fatalf("log %s has %d records, want %d", n, len(got), len(m.bodies))
				}
				for i, r := range got {
					if r.Seq != m.first+uint64(i) || !bytes.Equal(r.Body, m.bodies[i]) {
						t.Fatalf("log %s record %d differs", n, r.Seq)
					}
				}
			}
		},
	})
	if err := e.Close(context.Background()); err != nil {
		t.Fatalf("close: %v", err)
	}
}
