package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"watchhouse/journal/engine"
	"watchhouse/journal/engine/enginetest"
)

func TestMain(m *testing.M) {
	// Every step of the model syncs the disk; the memory engine runs the full number.
	if err := flag.Set("rapid.checks", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

func TestConforms(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, func(t *testing.T) enginetest.Opener {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", time.Now().UnixNano()))
		return func(tb enginetest.TB) engine.Engine {
			e, err := Open(context.Background(), DefaultConfig(path))
			if err != nil {
				tb.Fatalf("open: %v", err)
			}
			return e
		}
	})
}

func openAt(t *testing.T, cfg Config) *DB {
	t.Helper()
	db, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return db
}

// folder reads every file, to see that nothing was touched.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name()] = string(b)
	}
	return out
}

func TestNewerSchemaIsRefusedUntouched(t *testing.T) {
	cfg := DefaultConfig(filepath.Join(t.TempDir(), "x.db"))
	newer := cfg
	newer.Migrations = append(slices.Clone(cfg.Migrations), "CREATE TABLE future(x)")
	db := openAt(t, newer)
	if err := db.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := folder(t, filepath.Dir(cfg.Path))
	for name, open := range map[string]func(context.Context, Config) (*DB, error){"open": Open, "read-only": OpenReadOnly} {
		if _, err := open(context.Background(), cfg); !errors.Is(err, engine.ErrNewer) {
			t.Errorf("%s: %v, want ErrNewer", name, err)
		}
	}
	if after := folder(t, filepath.Dir(cfg.Path)); !mapsEqual(before, after) {
		t.Error("the folder was touched")
	}
}

func mapsEqual(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func TestOlderSchemaIsMigratedAfterACopy(t *testing.T) {
	ctx := context.Background()
	cfg := DefaultConfig(filepath.Join(t.TempDir(), "x.db"))
	db := openAt(t, cfg)
	if err := db.Put(ctx, "b", "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(ctx); err != nil {
		t.Fatal(err)
	}
	cfg.Migrations = append(slices.Clone(cfg.Migrations), "CREATE TABLE future(x); INSERT INTO future VALUES(7)")
	db = openAt(t, cfg)
	var x int
	if err := db.read.QueryRowContext(ctx, "SELECT x FROM future").Scan(&x); err != nil || x != 7 {
		t.Fatalf("migrated table: %d %v", x, err)
	}
	if v, err := db.Get(ctx, "b", "k"); string(v) != "v" {
		t.Fatalf("kept value: %q %v", v, err)
	}
	old := openAt(t, DefaultConfig(cfg.Path+".v1.bak"))
	if v, err := old.Get(ctx, "b", "k"); string(v) != "v" {
		t.Fatalf("value in the copy: %q %v", v, err)
	}
}

func TestFailedMigrationLeavesTheOldSchema(t *testing.T) {
	ctx := context.Background()
	cfg := DefaultConfig(filepath.Join(t.TempDir(), "x.db"))
	if err := openAt(t, cfg).Close(ctx); err != nil {
		t.Fatal(err)
	}
	bad := cfg
	bad.Migrations = append(slices.Clone(cfg.Migrations), "CREATE TABLE half(x); INSERT INTO absent VALUES(1)")
	if _, err := Open(ctx, bad); err == nil {
		t.Fatal("a failing migration was taken for good")
	}
	db := openAt(t, cfg)
	if err := db.read.QueryRowContext(ctx, "SELECT 1 FROM half").Scan(new(int)); err == nil || errors.Is(err, sql.ErrNoRows) {
		t.Error("half of the migration is left")
	}
}

func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"text":   strings.Repeat("not a database ", 100),
		"short":  "SQLite",
		"header": headerMagic + strings.Repeat("\xff", 8192),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(context.Background(), DefaultConfig(path))
		if name != "header" && !errors.Is(err, engine.ErrDamaged) || err == nil {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
		if got, _ := os.ReadFile(path); string(got) != content {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestEmptyFileIsNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := openAt(t, DefaultConfig(path)).Put(context.Background(), "b", "k", nil); err != nil {
		t.Fatal(err)
	}
}

func TestReadOnlyBesideAWriter(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cfg := DefaultConfig(filepath.Join(t.TempDir(), "x.db"))
	db := openAt(t, cfg)
	l, err := db.Log(ctx, "a", engine.Normal)
	if err != nil {
		t.Fatal(err)
	}
	ro, err := OpenReadOnly(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close(ctx)
	rl, err := ro.Log(ctx, "a", engine.Normal)
	if err != nil {
		t.Fatal(err)
	}
	woken := make(chan error, 1)
	go func() { woken <- rl.Wait(ctx, 0) }()
	if err := l.Append(ctx, 0, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-woken; err != nil {
		t.Fatal(err)
	}
	if recs, err := rl.Read(ctx, 1, 9, 9); err != nil || len(recs) != 1 {
		t.Fatalf("read: %v %v", recs, err)
	}
	if err := rl.Append(ctx, 1, nil); !errors.Is(err, engine.ErrReadOnly) {
		t.Errorf("append: %v, want ErrReadOnly", err)
	}
	if absent, err := ro.Log(ctx, "absent", engine.Normal); err != nil {
		t.Errorf("a log not made yet: %v", err)
	} else if _, last, err := absent.Bounds(ctx); last != 0 || err != nil {
		t.Errorf("its bounds: %d %v", last, err)
	}
}

func TestReadOnlyAlone(t *testing.T) {
	ctx := context.Background()
	cfg := DefaultConfig(filepath.Join(t.TempDir(), "x.db"))
	db := openAt(t, cfg)
	if err := db.Put(ctx, "b", "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(ctx); err != nil {
		t.Fatal(err)
	}
	ro, err := OpenReadOnly(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close(ctx)
	if v, err := ro.Get(ctx, "b", "k"); string(v) != "v" {
		t.Fatalf("get: %q %v", v, err)
	}
}

// One op that cannot be stored must not take its companions of the group with it.
func TestOneBadOpDoesNotFailItsGroup(t *testing.T) {
	ctx := context.Background()
	db := openAt(t, DefaultConfig(filepath.Join(t.TempDir(), "x.db")))
	l, err := db.Log(ctx, "a", engine.Normal)
	if err != nil {
		t.Fatal(err)
	}
	hold, held := make(chan struct{}), make(chan struct{})
	results := make(chan error, 3)
	go func() {
		results <- db.submit(ctx, &op{alone: true, done: make(chan error, 1), run: func(context.Context) error {
			close(held)
			<-hold
			return nil
		}})
	}()
	<-held
	bad := make(chan error, 1)
	go func() {
		bad <- db.do(ctx, engine.Urgent, 0, func(ctx context.Context) error {
			_, err := db.write.ExecContext(ctx, "INSERT INTO absent VALUES(1)")
			return err
		})
	}()
	go func() { results <- l.Append(ctx, 0, []byte("x")) }()
	go func() { results <- db.Put(ctx, "b", "k", []byte("v")) }()
	for waiting := 0; waiting < 3; time.Sleep(time.Millisecond) {
		db.mu.Lock()
		waiting = len(db.queue.waiting[engine.Urgent]) + len(db.queue.waiting[engine.Normal])
		db.mu.Unlock()
	}
	close(hold)
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if err := <-bad; err == nil {
		t.Error("the bad op succeeded")
	}
	if _, last, err := l.Bounds(ctx); last != 1 || err != nil {
		t.Errorf("last %d %v", last, err)
	}
}

// The write-ahead log must not grow without bound while commits never pause.
func TestLogIsMovedUnderConstantLoad(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := DefaultConfig(filepath.Join(t.TempDir(), "x.db"))
	cfg.CheckpointBytes = 256 << 10
	db := openAt(t, cfg)
	l, err := db.Log(ctx, "a", engine.Normal)
	if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, 16<<10)
	largest := int64(0)
	for i := range uint64(600) {
		if err := l.Append(ctx, i, body); err != nil {
			t.Fatal(err)
		}
		s, err := os.Stat(cfg.Path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, s.Size())
	}
	if most := 4 * hardFactor * cfg.CheckpointBytes; largest > most {
		t.Errorf("the write-ahead log grew to %d bytes, want below %d of 10 MB written", largest, most)
	}
	if got := db.Stats(); got.Commits < 600 || got.CommitP99 <= 0 || got.CommitP50 > got.CommitP99 {
		t.Errorf("stats: %+v", got)
	}
}

func TestPurgedSpaceIsCountedFree(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := openAt(t, DefaultConfig(filepath.Join(t.TempDir(), "x.db")))
	l, err := db.Log(ctx, "a", engine.Normal)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(100) {
		if err := l.Append(ctx, i, make([]byte, 16<<10)); err != nil {
			t.Fatal(err)
		}
	}
	if used := db.Used(); used < 100*16<<10 {
		t.Fatalf("%d bytes used after 1.6 MB", used)
	}
	if err := l.Purge(ctx, 100); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); db.Used() > 200<<10; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes used after the purge", db.Used())
		}
	}
}

// What the crash argument rests on: the writer syncs every commit and never checkpoints by itself.
func TestWriterSyncsEveryCommit(t *testing.T) {
	db := openAt(t, DefaultConfig(filepath.Join(t.TempDir(), "x.db")))
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "wal_autocheckpoint": "0"} {
		var got string
		if err := db.write.QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q, %v", pragma, got, want, err)
		}
	}
}
