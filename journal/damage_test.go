package journal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// flip turns over one bit in the middle of a record.
func flip(t *testing.T, dir, file, table string, seq int) {
	t.Helper()
	path := filepath.Join(dir, file)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var body []byte
	if err := db.QueryRow("SELECT body FROM "+table+" WHERE seq = ?", seq).Scan(&body); err != nil {
		t.Fatal(err)
	}
	body[headerSize+(len(body)-headerSize)/2] ^= 0x10
	alter(t, path, "UPDATE "+table+" SET body = ? WHERE seq = ?", body, seq)
}

// wantGap reads from the beginning until a gap, and from its resume position to the end.
func wantGap(t *testing.T, l *Lane, from, to uint64, resume Position) {
	t.Helper()
	pos := Position{}
	for {
		es, next, err := l.Read(context.Background(), pos, 2)
		if gap, ok := errors.AsType[*GapError](err); ok {
			if gap.From != from || gap.To != to || gap.Resume != resume || gap.Lane != l.Name() {
				t.Fatalf("gap %d to %d, resume %s, want %d to %d, %s", gap.From, gap.To, gap.Resume, from, to, resume)
			}
			pos = gap.Resume
			break
		}
		if err != nil || len(es) == 0 {
			t.Fatalf("no gap before %s: %v", next, err)
		}
		for _, e := range es {
			if e.ID >= from {
				t.Fatalf("entry %d was read before the gap from %d", e.ID, from)
			}
		}
		pos = next
	}
	for want := to + 1; ; {
		es, next, err := l.Read(context.Background(), pos, 100)
		if err != nil {
			t.Fatalf("after the gap: %v", err)
		}
		for _, e := range es {
			if e.ID != want {
				t.Fatalf("entry %d after the gap, want %d", e.ID, want)
			}
			want++
		}
		if len(es) == 0 {
			if pos.Compare(l.Head()) != 0 {
				t.Fatalf("reading ends at %s, the head is %s", pos, l.Head())
			}
			return
		}
		pos = next
	}
}

// damages are done to ten frames of two messages each.
var damages = []struct {
	name     string
	damage   func(t *testing.T, dir string)
	from, to uint64
	resume   uint64
	fault    string
}{
	{
		"a flipped bit", func(t *testing.T, dir string) { flip(t, dir, bulkFile, "log_lane_telemetry", 5) },
		9, 10, 6, "checksum",
	},
	{
		"two frames in a row", func(t *testing.T, dir string) {
			flip(t, dir, bulkFile, "log_lane_telemetry", 5)
			flip(t, dir, bulkFile, "log_lane_telemetry", 6)
		}, 9, 12, 7, "checksum",
	},
	{
		"a missing frame", func(t *testing.T, dir string) {
			alter(t, filepath.Join(dir, bulkFile), "DELETE FROM log_lane_telemetry WHERE seq = 4")
		}, 7, 8, 5, "frames 4 to 4 are missing",
	},
	{
		"three missing frames", func(t *testing.T, dir string) {
			alter(t, filepath.Join(dir, bulkFile), "DELETE FROM log_lane_telemetry WHERE seq BETWEEN 4 AND 6")
		}, 7, 12, 7, "frames 4 to 6 are missing",
	},
	{
		"a frame replaced by an older one", func(t *testing.T, dir string) {
			alter(t, filepath.Join(dir, bulkFile),
				"UPDATE log_lane_telemetry SET body = (SELECT body FROM log_lane_telemetry WHERE seq = 2) WHERE seq = 5")
		}, 3, 8, 5, "begins with message 3, want 9",
	},
}

func TestDamageIsFoundAndNamed(t *testing.T) {
	const frames = 10 // of two messages each
	for _, c := range damages {
		t.Run(c.name, func(t *testing.T) {
			cfg := testConfig(t)
			j := openTest(t, cfg)
			fillFrames(t, j.Lane(TelemetryLane), frames)
			closeIt(t, j)
			c.damage(t, cfg.Dir)
			j = openTest(t, cfg)
			faults, err := j.Verify(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			named := slices.ContainsFunc(faults, func(f Fault) bool {
				return strings.Contains(f.Text, c.fault) && f.Log == string(TelemetryLane) && f.File == bulkFile && f.Frame > 0
			})
			if !named {
				t.Errorf("verify: %v, want a fault with %q", faults, c.fault)
			}
			if c.name != "a frame replaced by an older one" {
				wantGap(t, j.Lane(TelemetryLane), c.from, c.to, Position{Frame: c.resume})
				return
			}
			var gap *GapError
			_, _, err = j.Lane(TelemetryLane).Read(context.Background(), Position{Frame: 4, Index: 2}, 1)
			if !errors.As(err, &gap) || gap.From != c.from || gap.To != c.to {
				t.Errorf("reading on from frame 4: %v", err)
			}
		})
	}
}

// fillFrames stores frames of two messages each.
func fillFrames(t *testing.T, l *Lane, frames int) {
	t.Helper()
	for i := range frames {
		done := make(chan error, 2)
		eventually(t, "an idle committer", func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.idle
		})
		l.mu.Lock() // both go into one frame
		l.filling.buf = appendEntry(l.filling.buf, new(press(2*i)), 0)
		l.filling.dones = append(l.filling.dones, func(_ Receipt, err error) { done <- err })
		l.messages++
		l.bytes += len(l.filling.buf) - headerSize
		l.filling.prevNS = press(2 * i).ReceivedNS
		l.mu.Unlock()
		if err := l.Submit(press(2*i+1), func(_ Receipt, err error) { done <- err }); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
	}
	if h := l.Head(); h.Frame != uint64(frames) || h.Index != 2 {
		t.Fatalf("head at %s, want %d.2", h, frames)
	}
}

func TestSQLitePageDamageIsNamed(t *testing.T) {
	cfg := testConfig(t)
	j := openTest(t, cfg)
	fillFrames(t, j.Lane(TelemetryLane), 50)
	closeIt(t, j)
	overwritePage(t, filepath.Join(cfg.Dir, bulkFile), "log_lane_telemetry")
	ro, err := OpenReadOnly(context.Background(), cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt(t, ro)
	faults, err := ro.Verify(context.Background())
	if err != nil || len(faults) == 0 || faults[0].File != bulkFile {
		t.Errorf("verify: %v %v, want a fault of bulk.db", faults, err)
	}
}

// overwritePage spoils the root page of a table in a closed file.
func overwritePage(t *testing.T, path, table string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	var root, size int64
	if err := db.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = ?", table).Scan(&root); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow("PRAGMA page_size").Scan(&size); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, int(size)), (root-1)*size); err != nil {
		t.Fatal(err)
	}
}
