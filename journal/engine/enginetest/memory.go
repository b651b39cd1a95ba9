package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"watchhouse/journal/engine"
)

// ErrInjected is the failure a Store was told to make.
var ErrInjected = errors.New("injected failure")

// Fault tells an append of a Store what to do.
type Fault int

// Faults. With FailBefore nothing is stored, with FailAfter the record is, and both look alike to the caller.
const (
	Succeed Fault = iota
	FailBefore
	FailAfter
	NoSpace
)

// Store is the content of memory engines, like a disk.
type Store struct {
	mu     sync.Mutex
	logs   map[string]*memoryLog
	values map[[2]string][]byte
	inject func(log string, seq uint64) Fault
	bytes  atomic.Int64
}

// NewStore gives an empty one.
func NewStore() *Store {
	return &Store{logs: map[string]*memoryLog{}, values: map[[2]string][]byte{}}
}

// Inject makes every append ask f what to do; nil ends it.
func (s *Store) Inject(f func(log string, seq uint64) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inject = f
}

// Records gives a copy of a log.
func (s *Store) Records(log string) []engine.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.logs[log]
	if !ok {
		return nil
	}
	return slices.Clone(l.records)
}

// Memory is an engine on a Store.
type Memory struct {
	store  *Store
	closed atomic.Bool
}

var _ engine.Engine = (*Memory)(nil)

// NewMemory opens an engine on a store.
func NewMemory(s *Store) *Memory { return &Memory{store: s} }

type memoryLog struct {
	name    string
	records []engine.Record
	changed chan struct{}
}

type memoryHandle struct {
	engine *Memory
	log    *memoryLog
}

// Log implements engine.Engine.
func (m *Memory) Log(_ context.Context, name string, _ engine.Priority) (engine.Log, error) {
	if name == "" || name[0] < 'a' || name[0] > 'z' {
		return nil, fmt.Errorf("log name %q", name)
	}
	s := m.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logs[name] == nil {
		s.logs[name] = &memoryLog{name: name, changed: make(chan struct{})}
	}
	return &memoryHandle{m, s.logs[name]}, nil
}

// Logs implements engine.Engine.
func (m *Memory) Logs(context.Context) ([]string, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	return slices.Sorted(maps.Keys(m.store.logs)), nil
}

// Append implements engine.Log.
func (h *memoryHandle) Append(ctx context.Context, expect uint64, bodies ...[]byte) error {
	return h.append(ctx, expect, expect+1, bodies)
}

// AppendAt implements engine.Log.
func (h *memoryHandle) AppendAt(ctx context.Context, expect, seq uint64, body []byte) error {
	return h.append(ctx, expect, seq, [][]byte{body})
}

func (h *memoryHandle) append(ctx context.Context, expect, first uint64, bodies [][]byte) error {
	if h.engine.closed.Load() {
		return engine.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s := h.engine.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := h.log.last(); last != expect {
		return fmt.Errorf("last is %d, expected %d: %w", last, expect, engine.ErrConflict)
	}
	fault := Succeed
	if s.inject != nil {
		fault = s.inject(h.log.name, first)
	}
	switch fault {
	case FailBefore:
		return ErrInjected
	case NoSpace:
		return engine.ErrNoSpace
	}
	for i, body := range bodies {
		h.log.records = append(h.log.records, engine.Record{Seq: first + uint64(i), Body: bytes.Clone(body)})
		s.bytes.Add(int64(len(body)))
	}
	close(h.log.changed)
	h.log.changed = make(chan struct{})
	if fault == FailAfter {
		return ErrInjected
	}
	return nil
}

func (l *memoryLog) last() uint64 {
	if len(l.records) == 0 {
		return 0
	}
	return l.records[len(l.records)-1].Seq
}

// Bounds implements engine.Log.
func (h *memoryHandle) Bounds(ctx context.Context) (first, last uint64, err error) {
	h.engine.store.mu.Lock()
	defer h.engine.store.mu.Unlock()
	if len(h.log.records) > 0 {
		first = h.log.records[0].Seq
	}
	return first, h.log.last(), ctx.Err()
}

// Read implements engine.Log.
func (h *memoryHandle) Read(ctx context.Context, from uint64, maxRecords, maxBytes int) ([]engine.Record, error) {
	h.engine.store.mu.Lock()
	defer h.engine.store.mu.Unlock()
	var out []engine.Record
	size := 0
	i, _ := slices.BinarySearchFunc(h.log.records, from, func(r engine.Record, n uint64) int {
		return int(int64(r.Seq) - int64(n))
	})
	for ; i < len(h.log.records) && len(out) < maxRecords && (len(out) == 0 || size <= maxBytes); i++ {
		r := h.log.records[i]
		out = append(out, engine.Record{Seq: r.Seq, Body: bytes.Clone(r.Body)})
		size += len(r.Body)
	}
	return out, ctx.Err()
}

// Wait implements engine.Log.
func (h *memoryHandle) Wait(ctx context.Context, after uint64) error {
	for {
		h.engine.store.mu.Lock()
		last, changed := h.log.last(), h.log.changed
		h.engine.store.mu.Unlock()
		if last > after {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Purge implements engine.Log.
func (h *memoryHandle) Purge(_ context.Context, upTo uint64) error {
	h.engine.store.mu.Lock()
	defer h.engine.store.mu.Unlock()
	for len(h.log.records) > 1 && h.log.records[0].Seq <= upTo {
		h.engine.store.bytes.Add(-int64(len(h.log.records[0].Body)))
		h.log.records = h.log.records[1:]
	}
	return nil
}
