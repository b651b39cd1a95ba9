package sqlite

import (
	"context"
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
// never pause that does not come to pass, so past the hard limit the last pages are copied with the writer halted.
func (db *DB) moveWAL(ctx context.Context) error {
	if err := db.growBy(db.walBytes.Load()); err != nil {
		return nil //nolint:nilerr // the disk is full: the log stays as it is, and commits are refused by the same rule
	}
	db.walBytes.Store(0)
	size, err := db.passive(ctx)
	if err != nil || size < hardFactor*db.cfg.CheckpointBytes {
		return err
	}
	return db.submit(ctx, &op{
		priority: engine.Normal,
		alone:    true,
		done:     make(chan error, 1),
		run: func(ctx context.Context) error {
			_, err := db.passive(ctx)
			return err
		},
	})
}

// passive runs a checkpoint that blocks nobody and gives the size of the log in bytes. Pages committed meanwhile are not
// copied.
func (db *DB) passive(ctx context.Context) (size int64, err error) {
	var busy, log, done int64
	if err := db.check.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &log, &done); err != nil {
		return 0, fmt.Errorf("checkpoint: %w", classify(err))
	}
	return log * db.stats.pageSize, nil
}

func (db *DB) emptyWAL(ctx context.Context) error {
	var busy, log, done int64
	err := db.check.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &done)
	if err != nil {
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
