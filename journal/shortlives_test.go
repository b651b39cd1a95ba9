package journal

import (
	"os"
	"path/filepath"
	"testing"
)

// A hub that is killed again and again before it has written enough for a checkpoint of its own: what earlier lives left in the write-ahead
// log counts.
func TestShortLivesDoNotGrowTheLog(t *testing.T) {
	t.Parallel()
	const lives, frames, most = 8, 25, 48 << 20
	dir := t.TempDir()
	log := filepath.Join(dir, bulkFile+"-wal")
	for range lives {
		shortLife(t, dir, frames)
		if got := fileSize(t, log); got > most {
			t.Fatalf("the write-ahead log has %d bytes, want at most %d", got, most)
		}
	}
}

// Whatever the cap is, the file at its fullest and the write-ahead log at its longest are within it.
func TestTheLogIsInsideTheCap(t *testing.T) {
	for _, most := range []int64{minFileBytes, 10 * mib, 128 * mib, DefaultConfig().LifeMaxBytes, DefaultConfig().BulkMaxBytes} {
		file := withoutLog(most)
		if file < most*3/4 || file+logParts*checkpointBytes(file) > most {
			t.Errorf("cap %d: %d for the file, checkpoints at %d", most, file, checkpointBytes(file))
		}
	}
}

// shortLife stores so many frames of 200 KiB and is killed.
func shortLife(t *testing.T, dir string, frames int) {
	t.Helper()
	c, err := startChild(t, "fill", dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range frames + 16 { // it is as many ahead as may be on their way
		if !c.out.Scan() {
			t.Fatal("the child ended by itself")
		}
	}
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait() // it was killed
}

func fileSize(t *testing.T, name string) int64 {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
