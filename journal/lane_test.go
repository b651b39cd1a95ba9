package journal

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"
)

func testConfig(t testing.TB) Config {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Dir = t.TempDir()
	cfg.ReserveBytes = 1 << 20
	cfg.TickInterval = 0
	return cfg
}

func openTest(t testing.TB, cfg Config) *Journal {
	t.Helper()
	j, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := j.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return j
}

func press(i int) Message {
	return Message{
		Kind: Publish, ReceivedNS: 1763888888123000000 + int64(i), Client: "eb-0042", Device: "eb-0042", Conn: 7, QoS: 1,
		Topic: "wh/v1/eb-0042/event", Payload: fmt.Appendf(nil, `{"type":"sos","boot":3,"seq":%d,"ts":1763888888123}`, i),
	}
}

func TestSmoke(t *testing.T) {
	cfg := testConfig(t)
	j := openTest(t, cfg)
	ctx := context.Background()
	for i := range 10 {
		r, err := j.Lane(EventLane).Append(ctx, press(i))
		if err != nil || r.ID != uint64(i+1) {
			t.Fatal(r, err)
		}
	}
	es, next, err := j.Lane(EventLane).Read(ctx, Position{}, 100)
	t.Log(len(es), next, err, j.Lane(EventLane).Head(), j.Lane(EventLane).Depth(Position{}))
	st, err := j.Chain("ledger").Append(ctx, 0, []byte("a"), []byte("b"))
	t.Log(len(st), err)
	st, err = j.Chain("ledger").Append(ctx, 2, []byte("c"))
	t.Log(len(st), err)
	st, err = j.Chain("ledger").Read(ctx, 1, 10)
	t.Log(len(st), err)
	t.Log(j.KV("x").Put(ctx, "a", []byte("b")))
	t.Log(j.Lane(EventLane).SetCursor(ctx, "me", next))
	j.Stream("rejects").Add(1, []byte("{}"))
	if err := j.Close(ctx); err != nil {
		t.Fatal(err)
	}
	ro, err := OpenReadOnly(ctx, cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := ro.Stream("rejects").List(ctx, 1, 10)
	t.Log(rs, err, ro.Lane(EventLane).Cursors())
	ro.Close(ctx)
	j = openTest(t, cfg)
	es, next, err = j.Lane(EventLane).Read(ctx, Position{}, 100)
	t.Log(len(es), next, err, j.Lane(EventLane).Head(), j.Lane(EventLane).Depth(Position{}))
	t.Log(j.Health())
}
