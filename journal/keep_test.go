package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCursors(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(t)
	j := openTest(t, cfg)
	l := j.Lane(EventLane)
	fillFrames(t, l, 3)
	if p, err := l.Cursor(ctx, "alerts"); p != (Position{}) || err != nil {
		t.Fatalf("a new cursor: %s %v", p, err)
	}
	for _, p := range []Position{{Frame: 2, Index: 1}, {Frame: 1, Index: 2}, {Frame: 2}} {
		if err := l.SetCursor(ctx, "alerts", p); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SetCursor(ctx, "alerts", Position{Frame: 4}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a cursor beyond the head: %v", err)
	}
	if err := l.SetCursor(ctx, "old", Position{Frame: 1}); err != nil {
		t.Fatal(err)
	}
	if err := l.DropCursor(ctx, "old"); err != nil {
		t.Fatal(err)
	}
	closeIt(t, j)
	got := openTest(t, cfg).Lane(EventLane).Cursors()
	if len(got) != 1 || got["alerts"] != (Position{Frame: 2, Index: 1}) {
		t.Errorf("cursors after a restart: %v", got)
	}
}

// A cursor is written within a second though nothing else is committed.
func TestCursorIsWrittenSoon(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := testConfig(t)
	j := openTest(t, cfg)
	l := j.Lane(EventLane)
	fillFrames(t, l, 1)
	if err := l.SetCursor(ctx, "alerts", Position{Frame: 1, Index: 2}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cursor on disk", func() bool {
		ro, err := OpenReadOnly(ctx, cfg.Dir)
		if err != nil {
			t.Fatal(err)
		}
		defer closeIt(t, ro)
		return len(ro.Lane(EventLane).Cursors()) == 1
	})
}

func TestPurgeStopsAtTheSmallestCursor(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(t)
	cfg.Retention = 0 // everything is old
	j := openTest(t, cfg)
	l := j.Lane(EventLane)
	if err := errors.Join(cursor(ctx, l, "alerts", 0), cursor(ctx, l, "ingest", 0)); err != nil {
		t.Fatal(err)
	}
	fillFrames(t, l, 10)
	for _, c := range []struct {
		name  string
		frame uint64
		first uint64
	}{{"alerts", 5, 1}, {"ingest", 3, 3}, {"ingest", 8, 5}, {"alerts", 10, 8}} {
		if err := cursor(ctx, l, c.name, c.frame); err != nil {
			t.Fatal(err)
		}
		j.Purge(ctx)
		if f := l.First().Frame; f != c.first {
			t.Errorf("%s at frame %d: purged up to %d, want %d", c.name, c.frame, f, c.first)
		}
	}
	closeIt(t, j) // with its cache
	l = openTest(t, cfg).Lane(EventLane)
	if es := readAll(t, l, 100); es[0].ID != 15 {
		t.Errorf("the beginning is message %d, want 15", es[0].ID)
	}
	var gap *GapError
	if _, _, err := l.Read(ctx, Position{Frame: 2}, 1); !errors.As(err, &gap) || gap.To != 14 || gap.Resume.Frame != 8 {
		t.Errorf("reading what was purged: %v", err)
	}
}

func cursor(ctx context.Context, l *Lane, name string, frame uint64) error {
	if frame == 0 {
		_, err := l.Cursor(ctx, name)
		return err
	}
	return l.SetCursor(ctx, name, Position{Frame: frame, Index: 2})
}

func TestPurgeKeepsTheRetention(t *testing.T) {
	cfg := testConfig(t)
	cfg.Retention = time.Hour
	j := openTest(t, cfg)
	fillFrames(t, j.Lane(EventLane), 5)
	j.Purge(context.Background())
	if f := j.Lane(EventLane).First().Frame; f != 1 {
		t.Errorf("purged up to %d within the retention", f)
	}
}

// What a cursor has not read is never purged: the lane gets full instead, and goes on once it was read.
func TestUnreadFillsTheLane(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := testConfig(t)
	cfg.BulkMaxBytes = minFileBytes
	j := openTest(t, cfg)
	l := j.Lane(TelemetryLane)
	if _, err := l.Cursor(ctx, "ingest"); err != nil {
		t.Fatal(err)
	}
	var err error
	n := 0
	for ; err == nil; n++ {
		m := press(n)
		m.Device, m.Payload = fmt.Sprint("bin-", n), noise(int64(n), 3000)
		if n%16 == 0 {
			j.Purge(ctx)
		}
		_, err = l.Append(ctx, m)
	}
	if !errors.Is(err, ErrLaneFull) {
		t.Fatal(err)
	}
	if es := readAll(t, l, 100); len(es) != n-1 || es[0].ID != 1 {
		t.Fatalf("%d of %d unread messages are left", len(es), n-1)
	}
	if err := l.SetCursor(ctx, "ingest", l.Head()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "room", func() bool {
		j.Purge(ctx)
		return l.Submit(press(n), nil) == nil
	})
}

func TestStreams(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(t)
	j := openTest(t, cfg)
	s := j.Stream("rejects")
	for i := range 25 {
		s.Add(int64(i), fmt.Appendf(nil, `{"n":%d}`, i+1))
	}
	closeIt(t, j)
	s = openTest(t, cfg).Stream("rejects")
	for _, c := range []struct{ from, limit, want, first int }{{0, 100, 25, 1}, {1, 10, 10, 1}, {20, 100, 6, 20}, {26, 10, 0, 0}} {
		recs, err := s.List(ctx, uint64(c.from), c.limit)
		if err != nil || len(recs) != c.want {
			t.Fatalf("list from %d: %d records, want %d, %v", c.from, len(recs), c.want, err)
		}
		for i, r := range recs {
			if int(r.N) != c.first+i || string(r.Body) != fmt.Sprintf(`{"n":%d}`, r.N) || r.AtNS != int64(r.N-1) {
				t.Fatalf("record %+v", r)
			}
		}
	}
	if s.Last() != 25 || s.Dropped() != 0 {
		t.Errorf("last %d, dropped %d", s.Last(), s.Dropped())
	}
}

func TestKV(t *testing.T) {
	ctx := context.Background()
	j := openTest(t, testConfig(t))
	k := j.KV("sessions")
	if _, err := k.Get(ctx, "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an absent key: %v", err)
	}
	if err := errors.Join(k.Put(ctx, "a", []byte("1")), k.Put(ctx, "a", []byte("2")), j.KV("other").Put(ctx, "b", nil)); err != nil {
		t.Fatal(err)
	}
	if v, err := k.Get(ctx, "a"); string(v) != "2" || err != nil {
		t.Errorf("get: %q %v", v, err)
	}
	if keys, err := k.Keys(ctx); err != nil || !slices.Equal(keys, []string{"a"}) {
		t.Errorf("keys: %q %v", keys, err)
	}
	if err := k.Delete(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if keys, err := k.Keys(ctx); err != nil || len(keys) != 0 {
		t.Errorf("keys after the delete: %q %v", keys, err)
	}
}

func TestCat(t *testing.T) {
	ctx := context.Background()
	j := openTest(t, testConfig(t))
	payloads := []string{`{"seq":12345678901234567890,"a": 1.50}`, `help`, "", "\x00\xff", "{\"a\":\n1}", `"<&>"`}
	for i, p := range payloads {
		m := Message{Kind: Publish, ReceivedNS: int64(i+1) * 1e9, Client: "c", Device: fmt.Sprint("d", i%2), Topic: "t", Payload: []byte(p)}
		if _, err := j.Lane(EventLane).Append(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Lane(StateLane).Append(ctx, Message{Kind: Tick, ReceivedNS: 1e9}); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Lane(StateLane).Append(ctx, Message{Kind: Connect, ReceivedNS: 9e9, Device: "d1", Payload: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"lane":"event","position":"1.0","id":1,"at":1000,"device":"d0","topic":"t","payload":{"seq":12345678901234567890,"a":1.50}}`,
		`{"lane":"event","position":"2.0","id":2,"at":2000,"device":"d1","topic":"t","payload":"help"}`,
		`{"lane":"event","position":"3.0","id":3,"at":3000,"device":"d0","topic":"t","payload":""}`,
		`{"lane":"event","position":"4.0","id":4,"at":4000,"device":"d1","topic":"t","payload":"\u0000` + "\ufffd" + `","payload_base64":"AP8="}`,
		`{"lane":"event","position":"5.0","id":5,"at":5000,"device":"d0","topic":"t","payload":{"a":1}}`,
		`{"lane":"event","position":"6.0","id":6,"at":6000,"device":"d1","topic":"t","payload":"<&>"}`,
		`{"lane":"state","position":"2.0","id":2,"at":9000,"device":"d1","topic":"","kind":"connect","payload":{}}`,
	}
	for _, c := range []struct {
		o    CatOptions
		want []string
	}{
		{CatOptions{}, want},
		{CatOptions{Lane: EventLane}, want[:6]},
		{CatOptions{Device: "d1", Lane: EventLane}, []string{want[1], want[3], want[5]}},
		{CatOptions{Since: time.Unix(5, 0)}, want[4:]},
	} {
		var out bytes.Buffer
		if err := j.Cat(ctx, &out, c.o); err != nil {
			t.Fatal(err)
		}
		got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(got) != len(c.want) {
			t.Fatalf("%+v: %d lines, want %d:\n%s", c.o, len(got), len(c.want), out.String())
		}
		for i := range got {
			var x, y any
			if json.Unmarshal([]byte(got[i]), &x) != nil || json.Unmarshal([]byte(c.want[i]), &y) != nil || fmt.Sprint(x) != fmt.Sprint(y) {
				t.Errorf("line\n%s, want\n%s", got[i], c.want[i])
			}
		}
	}
	if err := j.Cat(ctx, &bytes.Buffer{}, CatOptions{Lane: "x"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown lane: %v", err)
	}
}

func TestList(t *testing.T) {
	j := openTest(t, testConfig(t))
	fillFrames(t, j.Lane(EventLane), 3)
	if _, err := j.Chain("ledger").Append(context.Background(), 0, []byte("a"), []byte("b")); err != nil {
		t.Fatal(err)
	}
	list, err := j.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteList(&out, list); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, i := range list {
		got[i.Kind+" "+i.Name] = fmt.Sprintf("%s %d %d-%d", i.File, i.Frames, i.First, i.Last)
	}
	for name, want := range map[string]string{
		"lane event": "life.db 3 1-6", "lane state": "life.db 0 0-0", "lane telemetry": "bulk.db 0 0-0",
		"stream rejects": "bulk.db 0 0-0", "stream deadletter": "bulk.db 0 0-0", "chain ledger": "life.db 1 1-2",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q\n%s", name, got[name], want, out.String())
		}
	}
}

func TestPosition(t *testing.T) {
	for _, p := range []Position{{}, {Frame: 1, Index: 2}, {Frame: 1<<64 - 1, Index: 1<<32 - 1}} {
		if q, err := ParsePosition(p.String()); q != p || err != nil {
			t.Errorf("%s reads back as %s, %v", p, q, err)
		}
	}
	for _, s := range []string{"", "1", "x.1", "1.x", "-1.0", "1.4294967296", "1.2.3"} {
		if _, err := ParsePosition(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
	if (Position{Frame: 2}).Compare(Position{Frame: 1, Index: 9}) != 1 || (Position{}).Compare(Position{}) != 0 {
		t.Error("positions do not compare by frame, then index")
	}
}
