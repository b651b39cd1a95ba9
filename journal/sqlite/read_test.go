package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"watchhouse/journal/engine"
)

// A reader whose context ends in the middle of a read comes back, wherever it stood. A hub that stops ends many.
func TestReadComesBackWhenItsContextEnds(t *testing.T) {
	db := openAt(t, DefaultConfig(filepath.Join(t.TempDir(), "a.db")))
	log, err := db.Log(t.Context(), "lane", engine.Normal)
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(4) {
		if err := log.Append(t.Context(), n, make([]byte, 1024)); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 20_000 {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Duration(n%60)*time.Microsecond, cancel)
			_, _ = log.Read(ctx, 1, 10, 1) // stops after one record, as a reader with a byte limit does
			cancel()
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("a read did not come back")
	}
}
