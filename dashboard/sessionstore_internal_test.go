package dashboard

import (
	"context"
	"errors"
	"testing"
	"time"

	"watchhouse/journal"
)

// shelf is a key-value bucket that counts.
type shelf struct {
	values map[string][]byte
	puts   int
	refuse error
}

func (s *shelf) Get(_ context.Context, key string) ([]byte, error) {
	if v, ok := s.values[key]; ok {
		return v, nil
	}
	return nil, journal.ErrNotFound
}

func (s *shelf) Put(_ context.Context, key string, v []byte) error {
	if s.refuse != nil {
		return s.refuse
	}
	s.puts++
	s.values[key] = v
	return nil
}

func (s *shelf) Delete(_ context.Context, key string) error {
	if s.refuse != nil {
		return s.refuse
	}
	delete(s.values, key)
	return nil
}

func (s *shelf) Keys(context.Context) ([]string, error) {
	var out []string
	for k := range s.values {
		out = append(out, k)
	}
	return out, nil
}

func TestIdleExpiryMovesWithoutAWriteEachTime(t *testing.T) {
	ctx, disk := context.Background(), &shelf{values: map[string][]byte{}}
	s, err := openSessionStore(ctx, disk, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	expiry := time.Now().Add(time.Hour)
	commit := func(data string, after time.Duration) {
		t.Helper()
		if err := s.CommitCtx(ctx, "k", []byte(data), expiry.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 59 {
		commit("a", time.Duration(i)*time.Second)
	}
	if disk.puts != 1 {
		t.Errorf("%d writes for a minute of requests, want the first", disk.puts)
	}
	commit("a", time.Minute)
	commit("b", time.Minute)
	if disk.puts != 3 {
		t.Errorf("%d writes, want one more for a minute that passed and one for changed data", disk.puts)
	}
	again, err := openSessionStore(ctx, disk, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if b, ok, err := again.FindCtx(ctx, "k"); err != nil || !ok || string(b) != "b" {
		t.Errorf("after a restart: %q, %v, %v", b, ok, err)
	}
}

func TestSessionStoreReportsAFailingDisk(t *testing.T) {
	ctx, disk := context.Background(), &shelf{values: map[string][]byte{}, refuse: journal.ErrClosed}
	s, err := openSessionStore(ctx, disk, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CommitCtx(ctx, "k", []byte("a"), time.Now().Add(time.Hour)); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("commit: %v", err)
	}
	// A session that can not be deleted on disk would come back with a restart: the caller must know.
	if err := s.DeleteCtx(ctx, "k"); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("delete: %v", err)
	}
}

func TestUnreadableSessionIsSweptNotFatal(t *testing.T) {
	ctx, disk := context.Background(), &shelf{values: map[string][]byte{"k": []byte("{")}}
	s, err := openSessionStore(ctx, disk, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.sweep(ctx); err != nil || len(disk.values) != 0 {
		t.Errorf("sweep: %v, left %v", err, disk.values)
	}
}
