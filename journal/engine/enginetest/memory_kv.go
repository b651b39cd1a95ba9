package enginetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"watchhouse/journal/engine"
)

// Get implements engine.Engine.
func (m *Memory) Get(ctx context.Context, bucket, key string) ([]byte, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	v, ok := m.store.values[[2]string{bucket, key}]
	if !ok {
		return nil, fmt.Errorf("%s/%s: %w", bucket, key, engine.ErrNotFound)
	}
	return bytes.Clone(v), ctx.Err()
}

// Put implements engine.Engine.
func (m *Memory) Put(_ context.Context, bucket, key string, value []byte) error {
	if m.closed.Load() {
		return engine.ErrClosed
	}
	m.PutLater(bucket, key, value)
	return nil
}

// PutLater implements engine.Engine.
func (m *Memory) PutLater(bucket, key string, value []byte) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	m.store.values[[2]string{bucket, key}] = append([]byte{}, value...)
}

// Delete implements engine.Engine.
func (m *Memory) Delete(_ context.Context, bucket, key string) error {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	delete(m.store.values, [2]string{bucket, key})
	return nil
}

// Keys implements engine.Engine.
func (m *Memory) Keys(_ context.Context, bucket string) ([]string, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	keys := []string{}
	for k := range m.store.values {
		if k[0] == bucket {
			keys = append(keys, k[1])
		}
	}
	slices.Sort(keys)
	return keys, nil
}

// Used implements engine.Engine.
func (m *Memory) Used() int64 { return m.store.bytes.Load() }

// Stats implements engine.Engine.
func (m *Memory) Stats() engine.Stats { return engine.Stats{Bytes: m.Used()} }

// Check implements engine.Engine; memory has no structures of its own to check.
func (m *Memory) Check(ctx context.Context) ([]string, error) { return nil, ctx.Err() }

// Close implements engine.Engine; the Store stays.
func (m *Memory) Close(context.Context) error {
	m.closed.Store(true)
	return nil
}
