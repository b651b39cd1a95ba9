package journal

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchhouse/journal/engine"
	"watchhouse/journal/engine/enginetest"
	"watchhouse/journal/sqlite"
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

// message draws any message that fits a frame of 4 KiB.
func message(t *rapid.T) Message {
	text := rapid.StringN(0, 20, 80)
	m := Message{
		Kind:       Kind(rapid.IntRange(1, 6).Draw(t, "kind")),
		ReceivedNS: rapid.Int64().Draw(t, "received"),
		Client:     text.Draw(t, "client"),
		Device:     text.Draw(t, "device"),
		Topic:      text.Draw(t, "topic"),
		QoS:        byte(rapid.IntRange(0, 2).Draw(t, "qos")),
		Retain:     rapid.Bool().Draw(t, "retain"),
		Dup:        rapid.Bool().Draw(t, "dup"),
		Conn:       rapid.Uint64().Draw(t, "conn"),
		Payload:    rapid.SliceOfN(rapid.Byte(), 0, 1500).Draw(t, "payload"),
	}
	if rapid.Bool().Draw(t, "own client") {
		m.Device = m.Client
	}
	return m
}

func sameMessage(a, b Message) bool {
	return a.Kind == b.Kind && a.ReceivedNS == b.ReceivedNS && a.Client == b.Client && a.Device == b.Device &&
		a.Topic == b.Topic && a.QoS == b.QoS && a.Retain == b.Retain && a.Dup == b.Dup && a.Conn == b.Conn &&
		bytes.Equal(a.Payload, b.Payload)
}

// readAll reads a lane to its head in steps of limit and fails on a gap.
func readAll(t fatal, l *Lane, limit int) []Entry {
	t.Helper()
	var out []Entry
	for pos := (Position{}); ; {
		es, next, err := l.Read(context.Background(), pos, limit)
		if err != nil {
			t.Fatalf("read %s from %s: %v", l.Name(), pos, err)
		}
		if len(es) == 0 {
			return out
		}
		if es[len(es)-1].Next != next {
			t.Fatalf("next is %s, the last entry says %s", next, es[len(es)-1].Next)
		}
		out, pos = append(out, es...), next
	}
}

type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// stores keeps the content of memory engines by path, as a disk would.
type stores struct {
	mu sync.Mutex
	by map[string]*enginetest.Store
}

func newStores() *stores { return &stores{by: map[string]*enginetest.Store{}} }

func (s *stores) at(path string) *enginetest.Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[path] == nil {
		s.by[path] = enginetest.NewStore()
	}
	return s.by[path]
}

func (s *stores) open(_ context.Context, cfg sqlite.Config) (engine.Engine, error) {
	return enginetest.NewMemory(s.at(filepath.Base(cfg.Path))), nil
}

// eventually polls until ok holds.
func eventually(t fatal, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come to pass", what)
		}
	}
}
