package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// childOpen tries to open a folder that another process holds.
func childOpen() error {
	cfg := DefaultConfig()
	cfg.Dir = childDir()
	_, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
	_, err = fmt.Fprintln(os.Stdout, errors.Is(err, ErrInUse))
	return err
}

// contents reads the files of a closed folder, or of one that nobody writes to.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name()] = string(b)
	}
	return out
}

func sameContents(a, b map[string]string) bool {
	for k := range b {
		if _, ok := a[k]; !ok {
			return false
		}
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	j := openTest(t, cfg)
	if _, err := j.Lane(EventLane).Append(context.Background(), press(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrInUse) {
		t.Errorf("the same process: %v, want ErrInUse", err)
	}
	c, err := startChild(t, "open", cfg.Dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !c.out.Scan() || c.out.Text() != "true" {
		t.Errorf("another process was not told ErrInUse: %q", c.out.Text())
	}
	if err := c.cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := j.Lane(EventLane).Append(context.Background(), press(2)); err != nil {
		t.Errorf("the holder was disturbed: %v", err)
	}
}

func TestNewerSchemaIsRefusedUntouched(t *testing.T) {
	for _, name := range []string{lifeFile, bulkFile} {
		cfg := testConfig(t)
		cfg.ReserveBytes = 0
		closeIt(t, openTest(t, cfg))
		alter(t, filepath.Join(cfg.Dir, name), "PRAGMA user_version = 99")
		before := contents(t, cfg.Dir)
		if _, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrNewer) {
			t.Errorf("%s: %v, want ErrNewer", name, err)
		}
		if !sameContents(before, contents(t, cfg.Dir)) {
			t.Errorf("%s: the folder was touched", name)
		}
	}
}

// alter changes a file behind the journal's back. The folder must be closed.
func alter(t *testing.T, path, stmt string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(stmt, args...); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedLifeIsRefused(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, dir string){
		"not a database": func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, lifeFile), []byte(strings.Repeat("rubbish ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"end of the ledger": func(t *testing.T, dir string) {
			alter(t, filepath.Join(dir, lifeFile), "UPDATE log_chain_ledger SET body = x'00' WHERE seq = 1")
		},
		"last frame beyond belief": func(t *testing.T, dir string) {
			alter(t, filepath.Join(dir, lifeFile), "UPDATE log_lane_event SET body = x'00' WHERE seq = 1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			j := openTest(t, cfg)
			fillSome(t, j)
			closeIt(t, j)
			damage(t, cfg.Dir)
			if _, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrDamaged) {
				t.Errorf("%v, want ErrDamaged", err)
			}
		})
	}
}

func fillSome(t *testing.T, j *Journal) {
	t.Helper()
	ctx := context.Background()
	for _, n := range []LaneName{EventLane, StateLane, TelemetryLane} {
		if _, err := j.Lane(n).Append(ctx, press(1)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Chain("ledger").Append(ctx, 0, []byte("a")); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedBulkIsDegraded(t *testing.T) {
	cfg := testConfig(t)
	j := openTest(t, cfg)
	fillSome(t, j)
	closeIt(t, j)
	if err := os.WriteFile(filepath.Join(cfg.Dir, bulkFile), []byte(strings.Repeat("rubbish ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	j = openTest(t, cfg)
	ctx := context.Background()
	if _, err := j.Lane(EventLane).Append(ctx, press(2)); err != nil {
		t.Errorf("an event without bulk: %v", err)
	}
	l := j.Lane(TelemetryLane)
	if err := l.Submit(press(3), nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("telemetry without bulk: %v, want ErrUnavailable", err)
	}
	_, _, rerr := l.Read(ctx, Position{}, 1)
	_, cerr := l.Cursor(ctx, "ingest")
	for _, err := range []error{rerr, cerr, l.Wait(ctx, Position{}), l.SetCursor(ctx, "ingest", Position{}), j.Health().Bulk.Err} {
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
	}
	j.Stream("rejects").Add(1, []byte("{}"))
	if j.Stream("rejects").Dropped() != 1 || j.Health().Life.Err != nil || l.Depth(Position{}) != 0 {
		t.Error("the dropped record is not counted, or life is called ill")
	}
	if faults, err := j.Verify(ctx); err != nil || len(faults) != 1 || faults[0].File != bulkFile {
		t.Errorf("verify: %v %v", faults, err)
	}
}

func TestReadOnlyBesideARunningHub(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(t)
	j := openTest(t, cfg)
	fillSome(t, j)
	ro, err := OpenReadOnly(ctx, cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeIt(t, ro) })
	if _, err := j.Lane(EventLane).Append(ctx, press(2)); err != nil {
		t.Fatal(err)
	}
	l := ro.Lane(EventLane)
	if err := l.Wait(ctx, Position{Frame: 1, Index: 1}); err != nil {
		t.Fatal(err)
	}
	if es := readAll(t, l, 10); len(es) != 2 || l.Depth(Position{}) != 2 {
		t.Errorf("%d entries, depth %d", len(es), l.Depth(Position{}))
	}
	if _, err := j.Chain("ledger").Append(ctx, 1, []byte("b")); err != nil {
		t.Fatal(err)
	}
	if steps, err := ro.Chain("ledger").Read(ctx, 1, 10); err != nil || len(steps) != 2 {
		t.Errorf("steps: %d %v", len(steps), err)
	}
	if ro.Chain("ledger").ID() != j.Chain("ledger").ID() {
		t.Error("another chain id")
	}
	_, aerr := ro.Chain("ledger").Append(ctx, 2, []byte("c"))
	for _, err := range []error{l.Submit(press(3), nil), aerr, l.SetCursor(ctx, "x", Position{Frame: 1})} {
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("writing to a read-only journal: %v", err)
		}
	}
	if faults, err := ro.Verify(ctx); err != nil || len(faults) != 0 {
		t.Errorf("verify: %v %v", faults, err)
	}
	if _, err := OpenReadOnly(ctx, filepath.Join(cfg.Dir, "absent")); !errors.Is(err, ErrNotFound) {
		t.Errorf("an absent folder: %v, want ErrNotFound", err)
	}
}

func TestConfigNamesTheKey(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	for key, spoil := range map[string]func(*Config){
		"life_max_bytes":  func(c *Config) { c.LifeMaxBytes = 1 },
		"bulk_max_bytes":  func(c *Config) { c.BulkMaxBytes = 0 },
		"retention":       func(c *Config) { c.Retention = -1 },
		"max_frame_bytes": func(c *Config) { c.MaxFrameBytes = 1 << 30 },
		"reserve_bytes":   func(c *Config) { c.ReserveBytes = -1 },
		"tick_interval":   func(c *Config) { c.TickInterval = -1 },
	} {
		c := DefaultConfig()
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "journal."+key) {
			t.Errorf("%s: %v", key, err)
		}
		if _, err := open(context.Background(), c, slog.New(slog.DiscardHandler), openSQLite); err == nil {
			t.Errorf("%s: opened", key)
		}
	}
}

// A last frame with a flipped bit must not keep the hub down: the numbers run on and readers hear of the gap.
func TestDamagedLastFrameIsAGap(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(t)
	j := openTest(t, cfg)
	for i := range 3 {
		if _, err := j.Lane(EventLane).Append(ctx, press(i)); err != nil {
			t.Fatal(err)
		}
	}
	closeIt(t, j)
	flip(t, cfg.Dir, lifeFile, "log_lane_event", 3)
	j = openTest(t, cfg)
	r, err := j.Lane(EventLane).Append(ctx, press(9))
	if err != nil || r.ID != 4 {
		t.Fatalf("append after a damaged frame: %+v %v", r, err)
	}
	wantGap(t, j.Lane(EventLane), 3, 3, Position{Frame: 4})
}
