package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"watchhouse/journal/engine"
)

const (
	// hardFactor times CheckpointBytes of write-ahead log make the writer wait for a checkpoint.
	hardFactor = 8
	// measureEvery is how often the page counts are read while the file changes.
	measureEvery = time.Second
)

// grewWAL counts what a commit wrote and calls the checkpointer when there is enough.
func (db *DB) grewWAL(n int64) {
	if db.walBytes.Add(n) < db.cfg.CheckpointBytes {
		return
	}
	select {
	case db.checkpoint <- struct{}{}:
	default:
	}
}

// takeOverWAL counts what earlier lives have left in the log. Lives too short for a checkpoint of their own would add to it without end:
// from half of the hard limit on it is moved before anything is added.
func (db *DB) takeOverWAL(ctx context.Context) error {
	left := size(db.cfg.Path + walSuffix)
	db.grewWAL(left)
	if left < hardFactor*db.cfg.CheckpointBytes/2 {
		return nil
	}
	if err := db.emptyWAL(ctx); err != nil && !errors.Is(err, engine.ErrNoSpace) { // a full disk keeps no hub from starting
		return fmt.Errorf("open %s: %w", db.cfg.Path, err)
	}
	return db.count(ctx)
}

// runCheckpointer moves the write-ahead log into the file, off the commit path.
func (db *DB) runCheckpointer() {
	defer close(db.checkDone)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ticker := time.NewTicker(measureEvery)
	defer ticker.Stop()
	for {
		select {
		case <-db.stopCheck:
			return
		case <-db.checkpoint:
			if err := db.moveWAL(ctx); err != nil {
				db.cfg.Log.Warn("checkpoint failed", "file", db.cfg.Path, "err", err)
			}
		case <-ticker.C:
		}
		if err := db.count(ctx); err != nil {
			db.cfg.Log.Warn("cannot measure the file", "file", db.cfg.Path, "err", err)
		}
	}
}

// moveWAL copies the log beside running commits. When a commit finds all of it copied it starts the log anew; while commits
// never pause that does not come to pass, so past the hard limit the last pages are copied with the writer halted, and the log cut off.
func (db *DB) moveWAL(ctx context.Context) error {
	if err := db.growBy(db.walBytes.Load()); err != nil {
		return nil //nolint:nilerr // the disk is full: the log stays as it is, and commits are refused by the same rule
	}
	db.walBytes.Store(0)
	if err := db.passive(ctx); err != nil || size(db.cfg.Path+walSuffix) < hardFactor*db.cfg.CheckpointBytes {
		return err
	}
	return db.submit(ctx, &op{
		priority: engine.Normal,
		alone:    true,
		done:     make(chan error, 1),
		run:      db.emptyWAL,
	})
}

// passive runs a checkpoint that blocks nobody. Pages committed meanwhile are not copied.
func (db *DB) passive(ctx context.Context) error { return db.runCheckpoint(ctx, "PASSIVE") }

// emptyWAL copies what there is and cuts the log off, unless a reader is in it, for which it does not wait.
func (db *DB) emptyWAL(ctx context.Context) error { return db.runCheckpoint(ctx, "TRUNCATE") }

func (db *DB) runCheckpoint(ctx context.Context, mode string) error {
	var busy, log, done int64
	if err := db.check.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &log, &done); err != nil {
		return fmt.Errorf("checkpoint: %w", classify(err))
	}
	return nil
}

func (db *DB) count(ctx context.Context) error {
	var pages, free int64
	if err := db.check.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return classify(err)
	}
	if err := db.check.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free); err != nil {
		return classify(err)
	}
	db.stats.measured(pages, free)
	return nil
}
