package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"watchhouse/journal/engine"
)

const (
	tablePrefix = "log_"
	// purgeRows bounds one transaction of a purge, so that an append never waits long behind it.
	purgeRows = 64
	// pollEvery is how often a read-only log looks for records of the process that writes.
	pollEvery = 100 * time.Millisecond
)

// Log is one table: seq INTEGER PRIMARY KEY, body BLOB.
type Log struct {
	db       *DB
	name     string
	priority engine.Priority
	insert   *sql.Stmt

	// Of the writer goroutine: known says that last is the stored one, guarded by DB.mu for forgetLast.
	known bool
	last  uint64

	mu      sync.Mutex
	stored  uint64        // last sequence announced
	changed chan struct{} // closed when stored changes
}

func validLogName(name string) bool {
	return regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`).MatchString(name)
}

func (l *Log) table() string { return `"` + tablePrefix + l.name + `"` }

// Log implements engine.Engine.
func (db *DB) Log(ctx context.Context, name string, p engine.Priority) (engine.Log, error) {
	if !validLogName(name) {
		return nil, fmt.Errorf("log name %q: want a-z, 0-9 and _", name)
	}
	db.mu.Lock()
	l, ok := db.logs[name]
	db.mu.Unlock()
	if ok {
		return l, nil
	}
	l = &Log{db: db, name: name, priority: p, changed: make(chan struct{})}
	if !db.readOnly {
		if err := l.create(ctx); err != nil {
			return nil, fmt.Errorf("log %s: %w", name, err)
		}
	}
	_, last, err := l.Bounds(ctx)
	if err != nil {
		return nil, fmt.Errorf("log %s: %w", name, err)
	}
	l.stored = last
	db.mu.Lock()
	defer db.mu.Unlock()
	if other, ok := db.logs[name]; ok {
		return other, nil
	}
	db.logs[name] = l
	return l, nil
}

func (l *Log) create(ctx context.Context) error {
	exec := func(text string) error {
		return l.db.do(ctx, l.priority, 0, func(ctx context.Context) error {
			_, err := l.db.write.ExecContext(ctx, text)
			return err
		})
	}
	if err := exec("CREATE TABLE IF NOT EXISTS " + l.table() + "(seq INTEGER PRIMARY KEY, body BLOB NOT NULL)"); err != nil {
		return err
	}
	var err error
	l.insert, err = l.db.write.PrepareContext(ctx, "INSERT INTO "+l.table()+"(seq, body) VALUES(?, ?)")
	return classify(err)
}

// Logs implements engine.Engine.
func (db *DB) Logs(ctx context.Context) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'log\\_%' ESCAPE '\\' ORDER BY name")
	if err != nil {
		return nil, classify(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return nil, classify(err)
		}
		names = append(names, strings.TrimPrefix(n, tablePrefix))
	}
	return names, classify(rows.Err())
}

// Append implements engine.Log.
func (l *Log) Append(ctx context.Context, expect uint64, bodies ...[]byte) error {
	return l.append(ctx, expect, expect+1, bodies)
}

// AppendAt implements engine.Log.
func (l *Log) AppendAt(ctx context.Context, expect, seq uint64, body []byte) error {
	return l.append(ctx, expect, seq, [][]byte{body})
}

func (l *Log) append(ctx context.Context, expect, first uint64, bodies [][]byte) error {
	staged, size, last := false, 0, first+uint64(len(bodies))-1
	for _, b := range bodies {
		size += len(b)
	}
	return l.db.submit(ctx, &op{
		priority: l.priority,
		size:     size,
		done:     make(chan error, 1),
		run: func(ctx context.Context) error {
			if err := l.learnLast(ctx); err != nil {
				return err
			}
			if l.last != expect {
				return fmt.Errorf("log %s: last is %d, expected %d: %w", l.name, l.last, expect, engine.ErrConflict)
			}
			for i, body := range bodies {
				if _, err := l.insert.ExecContext(ctx, int64(first)+int64(i), body); err != nil {
					return fmt.Errorf("append to log %s: %w", l.name, err)
				}
			}
			l.last, staged = last, true
			return nil
		},
		settle: func(committed bool) {
			if committed && staged {
				l.announce(last)
			}
		},
	})
}

// learnLast reads the last sequence when it is not known, in the writer's transaction.
func (l *Log) learnLast(ctx context.Context) error {
	l.db.mu.Lock()
	known := l.known
	l.db.mu.Unlock()
	if known {
		return nil
	}
	var last int64
	if err := l.db.write.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM "+l.table()).Scan(&last); err != nil {
		return fmt.Errorf("last of log %s: %w", l.name, err)
	}
	l.db.mu.Lock()
	l.known = true
	l.db.mu.Unlock()
	l.last = uint64(last)
	return nil
}

// announce wakes the waiters; 0 only wakes them.
func (l *Log) announce(seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stored = max(l.stored, seq)
	close(l.changed)
	l.changed = make(chan struct{})
}

// Bounds implements engine.Log.
func (l *Log) Bounds(ctx context.Context) (first, last uint64, err error) {
	var f, t int64
	q := "SELECT coalesce((SELECT min(seq) FROM " + l.table() + "), 0), coalesce((SELECT max(seq) FROM " + l.table() + "), 0)"
	if err := l.db.read.QueryRowContext(ctx, q).Scan(&f, &t); err != nil {
		if l.absent(err) {
			return 0, 0, nil
		}
		return 0, 0, fmt.Errorf("bounds of log %s: %w", l.name, classify(err))
	}
	return uint64(f), uint64(t), nil
}

// absent says that a read-only log has no table yet.
func (l *Log) absent(err error) bool {
	return l.db.readOnly && strings.Contains(err.Error(), "no such table")
}

// Read implements engine.Log.
func (l *Log) Read(ctx context.Context, from uint64, maxRecords, maxBytes int) ([]engine.Record, error) {
	q := "SELECT seq, body FROM " + l.table() + " WHERE seq >= ? ORDER BY seq LIMIT ?"
	rows, err := l.db.read.QueryContext(ctx, q, int64(from), maxRecords)
	if err != nil {
		if l.absent(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("read log %s: %w", l.name, classify(err))
	}
	defer rows.Close()
	var out []engine.Record
	for size := 0; (len(out) == 0 || size <= maxBytes) && rows.Next(); {
		var seq int64
		var body []byte // not RawBytes: it holds a lock that Err waits for when ctx ends just then
		if err := rows.Scan(&seq, &body); err != nil {
			return out, fmt.Errorf("read log %s: %w", l.name, classify(err))
		}
		out = append(out, engine.Record{Seq: uint64(seq), Body: body})
		size += len(body)
	}
	if err := rows.Err(); err != nil {
		return out, fmt.Errorf("read log %s: %w", l.name, classify(err))
	}
	return out, nil
}

// Wait implements engine.Log.
func (l *Log) Wait(ctx context.Context, after uint64) error {
	if l.db.readOnly {
		return l.poll(ctx, after)
	}
	for {
		l.mu.Lock()
		stored, changed := l.stored, l.changed
		l.mu.Unlock()
		if stored > after {
			return nil
		}
		l.db.mu.Lock()
		closed := l.db.closed
		l.db.mu.Unlock()
		if closed {
			return engine.ErrClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *Log) poll(ctx context.Context, after uint64) error {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		_, last, err := l.Bounds(ctx)
		if err != nil || last > after {
			return err
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Purge implements engine.Log, a few rows at a time.
func (l *Log) Purge(ctx context.Context, upTo uint64) error {
	first, last, err := l.Bounds(ctx)
	if err != nil || last == 0 {
		return err
	}
	upTo = min(upTo, last-1)
	for first <= upTo {
		end := min(first+purgeRows-1, upTo)
		err := l.db.do(ctx, engine.Background, 0, func(ctx context.Context) error {
			_, err := l.db.write.ExecContext(ctx, "DELETE FROM "+l.table()+" WHERE seq <= ?", int64(end))
			return err
		})
		if err != nil {
			return fmt.Errorf("purge log %s: %w", l.name, err)
		}
		first = end + 1
	}
	return nil
}
