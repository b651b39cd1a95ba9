package powercut

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write1(t *testing.T, name, text string, sync bool) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if sync {
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func syncFolder(t *testing.T, name string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// after gives what is left of the disk's files.
func after(t *testing.T, d *Disk, loss Loss, seed uint64) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if err := d.Cut(loss, rand.New(rand.NewPCG(seed, 1))).Save("", dir); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestWhatWasSyncedSurvivesAndNothingElseNeedDo(t *testing.T) {
	d := New()
	folder, unmount := d.Mount(t)
	write1(t, filepath.Join(folder, "synced"), "before", true)
	write1(t, filepath.Join(folder, "old"), "content", true)
	syncFolder(t, folder)
	write1(t, filepath.Join(folder, "synced"), "AFTER!", false)
	write1(t, filepath.Join(folder, "entry not synced"), "content", true)
	if err := os.Rename(filepath.Join(folder, "old"), filepath.Join(folder, "new")); err != nil {
		t.Fatal(err)
	}
	unmount()
	for _, loss := range Losses() {
		files := after(t, d, loss, 1)
		if loss.Writes == 0 && files["synced"] != "before" || loss.Writes == 1 && files["synced"] != "AFTER!" {
			t.Errorf("%s: the synced file is %q", loss.Name, files["synced"])
		}
		if _, there := files["entry not synced"]; loss.Entries == 0 && there || loss.Entries == 1 && !there {
			t.Errorf("%s: the file whose entry was not synced is there: %v", loss.Name, there)
		}
		if (files["old"] == "content") == (files["new"] == "content") {
			t.Errorf("%s: a rename within a folder is not whole: %q", loss.Name, files)
		}
	}
}

func TestWritesSurviveByTheirUnits(t *testing.T) {
	d := New()
	folder, unmount := d.Mount(t)
	write1(t, filepath.Join(folder, "file"), string(bytes.Repeat([]byte{1}, 64<<10)), true)
	syncFolder(t, folder)
	write1(t, filepath.Join(folder, "file"), string(bytes.Repeat([]byte{2}, 64<<10)), false)
	unmount()
	for _, unit := range []int64{pageBytes, sectorBytes} {
		text := after(t, d, Loss{Unit: unit, Writes: 0.5}, 1)["file"]
		old := 0
		for off := int64(0); off < int64(len(text)); off += unit {
			if text[off] == 1 {
				old++
			}
			if bytes.Count([]byte(text[off:off+unit]), []byte{text[off]}) != int(unit) {
				t.Fatalf("the unit of %d at %d is mixed", unit, off)
			}
		}
		if units := len(text) / int(unit); old == 0 || old == units {
			t.Errorf("%d of %d units of %d bytes are old, want some", old, units, unit)
		}
	}
}

func TestFreezeAtRefusesThatChangeAndAllAfterIt(t *testing.T) {
	d := New()
	folder, _ := d.Mount(t)
	write1(t, filepath.Join(folder, "first"), "1", true) // three changes: made, written, synced
	d.FreezeAt(2)
	f, err := os.Create(filepath.Join(folder, "second"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("2"); !errors.Is(err, syscall.EIO) {
		t.Errorf("the second change: %v, want an I/O error", err)
	}
	if err := os.Remove(filepath.Join(folder, "first")); !errors.Is(err, syscall.EIO) {
		t.Errorf("a change after it: %v, want an I/O error", err)
	}
	<-d.Frozen()
	if d.Changes() != 4 {
		t.Errorf("%d changes, want 4", d.Changes())
	}
}

func TestDeafSyncLoses(t *testing.T) {
	d := New()
	d.DeafSync()
	folder, unmount := d.Mount(t)
	write1(t, filepath.Join(folder, "file"), "content", true)
	syncFolder(t, folder)
	unmount()
	if files := after(t, d, Losses()[0], 1); len(files) != 0 {
		t.Errorf("a disk whose syncs do nothing kept %q", files)
	}
}
