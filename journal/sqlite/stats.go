package sqlite

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"watchhouse/journal/engine"
)

// recentCommits is how many commits the percentiles cover: at one a second as many seconds, under load less than one.
const recentCommits = 512

type stats struct {
	mu       sync.Mutex
	err      error
	bytes    atomic.Int64
	pageSize int64
	commits  uint64
	ring     [recentCommits]time.Duration
}

func (s *stats) committed(d time.Duration, grown int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring[s.commits%recentCommits] = d
	s.commits++
	s.bytes.Add(grown)
	s.err = nil
}

func (s *stats) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *stats) measured(pages, free int64) {
	s.bytes.Store((pages - free) * s.pageSize)
}

// Used implements engine.Engine.
func (db *DB) Used() int64 { return db.stats.bytes.Load() }

// Stats implements engine.Engine.
func (db *DB) Stats() engine.Stats {
	s := &db.stats
	s.mu.Lock()
	out := engine.Stats{Err: s.err, Bytes: s.bytes.Load(), Commits: s.commits}
	recent := slices.Clone(s.ring[:min(s.commits, recentCommits)])
	s.mu.Unlock()
	if len(recent) > 0 {
		slices.Sort(recent)
		out.CommitP50 = recent[len(recent)/2]
		out.CommitP99 = recent[len(recent)*99/100]
	}
	return out
}

// measure reads the page counts when the file is opened.
func (db *DB) measure(ctx context.Context, c rower) error {
	var pages, free int64
	if err := c.QueryRowContext(ctx, "PRAGMA page_size").Scan(&db.stats.pageSize); err != nil {
		return err
	}
	if err := c.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return err
	}
	if err := c.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free); err != nil {
		return err
	}
	db.stats.measured(pages, free)
	return nil
}

// Check implements engine.Engine with SQLite's quick_check.
func (db *DB) Check(ctx context.Context) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, "PRAGMA quick_check(100)")
	if err != nil {
		return nil, classify(err)
	}
	defer rows.Close()
	var faults []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return faults, classify(err)
		}
		if s != "ok" {
			faults = append(faults, s)
		}
	}
	return faults, classify(rows.Err())
}
