package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"watchhouse/journal"
)

// sessionStore keeps sessions in memory and, so that they survive a restart, in a key-value bucket. A request only moves
// a session's idle expiry, and a commit to disk per request would be absurd: moves of less than slack stay in memory, so
// a crash costs at most slack of idle time. Keys are hashes of tokens (the manager's doing).
type sessionStore struct {
	kv    kv
	slack time.Duration

	mu       sync.Mutex
	sessions map[string]storedSession
}

// kv is *journal.KV.
type kv interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	Keys(ctx context.Context) ([]string, error)
}

type storedSession struct {
	Data   []byte    `json:"data"`
	Expiry time.Time `json:"expiry"`
	saved  time.Time // the expiry on disk
}

// openSessionStore loads what an earlier process left.
func openSessionStore(ctx context.Context, bucket kv, slack time.Duration) (*sessionStore, error) {
	s := &sessionStore{kv: bucket, slack: slack, sessions: map[string]storedSession{}}
	keys, err := bucket.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	for _, key := range keys {
		b, err := bucket.Get(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("read a session: %w", err)
		}
		var v storedSession
		if json.Unmarshal(b, &v) != nil {
			continue // sweep removes it: it is not among the sessions
		}
		v.saved = v.Expiry
		s.sessions[key] = v
	}
	return s, nil
}

// FindCtx, CommitCtx and DeleteCtx are scs.CtxStore; the three without a context are scs.Store, never called beside them.
func (s *sessionStore) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.sessions[token]
	if !ok || !time.Now().Before(v.Expiry) {
		return nil, false, nil
	}
	return v.Data, true, nil
}

func (s *sessionStore) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	s.mu.Lock()
	v := storedSession{Data: b, Expiry: expiry}
	old, known := s.sessions[token]
	if known && bytes.Equal(old.Data, b) && expiry.Sub(old.saved) < s.slack {
		v.saved = old.saved
		s.sessions[token] = v
		s.mu.Unlock()
		return nil
	}
	v.saved = expiry
	s.sessions[token] = v
	s.mu.Unlock()
	return s.save(ctx, token, v)
}

func (s *sessionStore) save(ctx context.Context, token string, v storedSession) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode a session: %w", err)
	}
	if err := s.kv.Put(ctx, token, b); err != nil {
		return fmt.Errorf("store a session: %w", err)
	}
	return nil
}

func (s *sessionStore) DeleteCtx(ctx context.Context, token string) error {
	s.mu.Lock()
	delete(s.sessions, token)
	s.mu.Unlock()
	if err := s.kv.Delete(ctx, token); err != nil && !errors.Is(err, journal.ErrNotFound) {
		return fmt.Errorf("delete a session: %w", err)
	}
	return nil
}

func (s *sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s *sessionStore) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

func (s *sessionStore) Delete(token string) error {
	return s.DeleteCtx(context.Background(), token)
}

// sweep removes what has expired, in memory and on disk.
func (s *sessionStore) sweep(ctx context.Context) error {
	keys, err := s.kv.Keys(ctx)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	var errs []error
	for _, key := range keys {
		if _, alive, _ := s.FindCtx(ctx, key); !alive {
			errs = append(errs, s.DeleteCtx(ctx, key))
		}
	}
	return errors.Join(errs...)
}
