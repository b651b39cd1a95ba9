package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"

	"watchhouse/internal/durable"
	"watchhouse/journal/engine"
)

// DB is one open file. It implements engine.Engine.
type DB struct {
	cfg      Config
	pools    []*sql.DB // every pool opened, in order
	write    *sql.Conn // the writer's own, nil when read-only
	check    *sql.Conn // the checkpointer's own, nil when read-only
	read     *sql.DB
	readOnly bool

	insertKV *sql.Stmt
	begin    *sql.Stmt
	commit   *sql.Stmt

	mu     sync.Mutex
	logs   map[string]*Log
	queue  queue
	wake   chan struct{} // capacity 1: the writer has something to do
	lazy   map[lazyKey][]byte
	closed bool

	stats      stats
	walBytes   atomic.Int64 // written since the last checkpoint began
	checkpoint chan struct{}
	stopCheck  chan struct{}
	writerDone chan struct{}
	checkDone  chan struct{}
	abandon    chan struct{} // closed when Close may wait no longer
	closeOnce  sync.Once
	closeErr   error
}

type lazyKey struct{ bucket, key string }

var _ engine.Engine = (*DB)(nil)

// Open opens or creates the file and starts the writer and the checkpointer. A file of a newer schema is left untouched
// (engine.ErrNewer); an older one is copied aside and migrated; one that is no database is engine.ErrDamaged, unless it is what a first
// start that was cut off left without any data: that is begun anew.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if err := peekVersion(cfg.Path, len(cfg.Migrations)); err != nil {
		return nil, err
	}
	// The sync of the write-ahead log needs the data and the size, not the times. Unavailable on some systems: fsync then.
	if _, err := sqlite.Fdatasync(true); err != nil && !errors.Is(err, sqlite.ErrFdatasyncUnavailable) {
		return nil, fmt.Errorf("open %s: %w", cfg.Path, err)
	}
	db, err := connect(ctx, cfg)
	if errors.Is(err, engine.ErrDamaged) {
		if left, lerr := isLeftOver(cfg.Path); lerr != nil || !left {
			return nil, errors.Join(err, lerr)
		}
		cfg.Log.Warn("a first start was cut off before it stored anything, beginning anew", "file", cfg.Path)
		if err := removeLeftOver(cfg.Path); err != nil {
			return nil, err
		}
		db, err = connect(ctx, cfg)
	}
	if err != nil {
		return nil, err
	}
	if err := db.takeOverWAL(ctx); err != nil {
		return nil, errors.Join(err, db.closePools())
	}
	go db.runWriter()
	go db.runCheckpointer()
	return db, nil
}

// connect opens the connections; on an error none is left open.
func connect(ctx context.Context, cfg Config) (*DB, error) {
	db := newDB(cfg)
	err := db.connect(ctx)
	if err == nil {
		// SQLite syncs the folder with its own journals; this covers the file's entry whatever it needed of them.
		err = durable.SyncDir(filepath.Dir(cfg.Path))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", cfg.Path, classify(err)), db.closePools())
	}
	return db, nil
}

// OpenReadOnly opens beside a writer, or alone, and changes nothing.
func OpenReadOnly(ctx context.Context, cfg Config) (*DB, error) {
	if err := peekVersion(cfg.Path, len(cfg.Migrations)); err != nil {
		return nil, err
	}
	db := newDB(cfg)
	db.readOnly = true
	close(db.writerDone)
	close(db.checkDone)
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)", "query_only(1)"}}
	var err error
	if db.read, err = db.pool(q, 4); err == nil {
		err = db.read.PingContext(ctx)
	}
	if err == nil {
		err = db.refuseNewer(ctx, db.read)
	}
	if err == nil {
		err = db.measure(ctx, db.read)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", cfg.Path, classify(err)), db.closePools())
	}
	return db, nil
}

func newDB(cfg Config) *DB {
	return &DB{
		cfg:        cfg,
		logs:       map[string]*Log{},
		wake:       make(chan struct{}, 1),
		lazy:       map[lazyKey][]byte{},
		checkpoint: make(chan struct{}, 1),
		stopCheck:  make(chan struct{}),
		writerDone: make(chan struct{}),
		checkDone:  make(chan struct{}),
		abandon:    make(chan struct{}),
	}
}

func (db *DB) pool(q url.Values, conns int) (*sql.DB, error) {
	c, err := sqlite.NewConnector(dsn(db.cfg.Path, q))
	if err != nil {
		return nil, err
	}
	p := sql.OpenDB(c)
	p.SetMaxOpenConns(conns)
	p.SetMaxIdleConns(conns)
	db.pools = append(db.pools, p)
	return p, nil
}

func (db *DB) connect(ctx context.Context) error {
	q := url.Values{"_pragma": {
		"busy_timeout(5000)",
		"page_size(" + strconv.Itoa(db.cfg.PageSize) + ")",
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"wal_autocheckpoint(0)",
		"cache_size(-16384)",
	}}
	p, err := db.pool(q, 2)
	if err != nil {
		return err
	}
	if db.write, err = p.Conn(ctx); err != nil {
		return err
	}
	if err := db.refuseNewer(ctx, db.write); err != nil {
		return err
	}
	if err := db.migrate(ctx); err != nil {
		return err
	}
	if db.check, err = p.Conn(ctx); err != nil {
		return err
	}
	if _, err := db.check.ExecContext(ctx, "PRAGMA busy_timeout=0"); err != nil { // a checkpoint that must wait is tried again
		return err
	}
	q.Set("_query_only", "1")
	if db.read, err = db.pool(q, 4); err != nil {
		return err
	}
	if err := db.prepare(ctx); err != nil {
		return err
	}
	return db.measure(ctx, db.read)
}

func (db *DB) prepare(ctx context.Context) error {
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&db.begin, "BEGIN IMMEDIATE"},
		{&db.commit, "COMMIT"},
		{&db.insertKV, "INSERT INTO kv(bucket, key, value) VALUES(?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"},
	} {
		s, err := db.write.PrepareContext(ctx, p.text)
		if err != nil {
			return err
		}
		*p.to = s
	}
	return nil
}

// closePools closes every statement first: one left open on the writer's connection would keep the connection, the files and their locks
// for as long as the process lives.
func (db *DB) closePools() error {
	errs := []error{db.closeStatements()}
	for _, c := range []*sql.Conn{db.write, db.check} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	for _, p := range slices.Backward(db.pools) {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

func (db *DB) closeStatements() error {
	statements := []*sql.Stmt{db.begin, db.commit, db.insertKV}
	db.mu.Lock()
	for _, l := range db.logs {
		statements = append(statements, l.insert)
	}
	db.mu.Unlock()
	var errs []error
	for _, s := range statements {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// ReadOnly says how the file was opened.
func (db *DB) ReadOnly() bool { return db.readOnly }
