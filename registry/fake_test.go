package registry

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"watchhouse/journal"
)

// memChain is a chain in memory. fail, when set, is asked once per append: before it is stored, and after.
type memChain struct {
	mu    sync.Mutex
	id    string
	steps []journal.Step
	fail  func(stored bool) error
}

var errDisk = errors.New("disk on fire")

func (c *memChain) ID() string { return c.id }

func (c *memChain) Append(_ context.Context, expect uint64, bodies ...[]byte) ([]journal.Step, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if uint64(len(c.steps)) != expect {
		return nil, journal.ErrConflict
	}
	if c.fail != nil {
		if err := c.fail(false); err != nil {
			return nil, err
		}
	}
	for _, body := range bodies {
		step := journal.Step{N: uint64(len(c.steps)) + 1, Body: slices.Clone(body)}
		sum := binary.BigEndian.AppendUint64(nil, step.N)
		if len(c.steps) > 0 {
			sum = append(sum, c.steps[len(c.steps)-1].Hash[:]...)
		}
		step.Hash = sha256.Sum256(append(sum, body...))
		c.steps = append(c.steps, step)
	}
	if c.fail != nil {
		if err := c.fail(true); err != nil {
			return nil, err
		}
	}
	return c.steps[expect:], nil
}

func (c *memChain) Last(context.Context) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return uint64(len(c.steps)), nil
}

func (c *memChain) Read(_ context.Context, n uint64, limit int) ([]journal.Step, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n == 0 || n > uint64(len(c.steps)) {
		return nil, nil
	}
	return slices.Clone(c.steps[n-1 : min(len(c.steps), int(n)-1+limit)]), nil
}

type memShelf struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (s *memShelf) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[key]
	if !ok {
		return nil, journal.ErrNotFound
	}
	return slices.Clone(v), nil
}

func (s *memShelf) Put(_ context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = slices.Clone(value)
	return nil
}

// place is where a registry of a test lives; it can be opened more than once.
type place struct {
	chain *memChain
	shelf *memShelf
	key   string
}

func newPlace(tb testing.TB) *place {
	return &place{&memChain{id: "chain-1"}, &memShelf{values: map[string][]byte{}}, filepath.Join(tb.TempDir(), "data.key")}
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func (p *place) open(tb fataler) *Registry {
	tb.Helper()
	r, err := open(context.Background(), Config{KeyFile: p.key}, p.chain, p.shelf)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	return r
}

// openBare opens without the snapshot: by the change sets alone.
func (p *place) openBare(tb fataler) *Registry {
	bare := *p
	bare.shelf = &memShelf{values: map[string][]byte{}}
	return bare.open(tb)
}

func openTest(tb testing.TB) *Registry { return newPlace(tb).open(tb) }

// mustPut registers devices with secrets.
func mustPut(tb fataler, r *Registry, secrets map[string]string, ds ...Device) map[string]string {
	tb.Helper()
	generated, err := r.PutDevices(context.Background(), "test", ds, secrets)
	if err != nil {
		tb.Fatalf("put devices: %v", err)
	}
	return generated
}

func check(tb fataler, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("unexpected error: %v", err)
	}
}

func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
