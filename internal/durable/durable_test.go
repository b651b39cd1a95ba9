package durable_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"watchhouse/internal/durable"
	"watchhouse/internal/testkit/powercut"
)

// afterCut gives the content of a file of a disk whose power is cut now, losing everything that was not synced.
func afterCut(t *testing.T, d *powercut.Disk, name string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := d.Cut(powercut.Losses()[0], rand.New(rand.NewPCG(1, 1))).Save("", dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	return string(text), err
}

func TestWhatIsMadeSurvivesThePowerCut(t *testing.T) {
	d := powercut.New()
	disk, _ := d.Mount(t)
	folder := filepath.Join(disk, "a", "b", "c")
	if err := durable.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"made": "1", "replaced": "old"} {
		if err := durable.WriteFile(filepath.Join(folder, name), []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := durable.WriteFile(filepath.Join(folder, "replaced"), []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := durable.Rename(filepath.Join(folder, "made"), filepath.Join(disk, "a", "renamed")); err != nil {
		t.Fatal(err)
	}
	d.Freeze()
	for name, want := range map[string]string{"a/b/c/replaced": "new", "a/renamed": "1"} {
		if text, err := afterCut(t, d, name); text != want {
			t.Errorf("%s is %q (%v), want %q", name, text, err, want)
		}
	}
	if _, err := afterCut(t, d, "a/b/c/made"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old name: %v, want it gone", err)
	}
}

// A folder that another process has made and not synced: it was killed in between, or it was mkdir(1).
func TestAFolderThatIsThereGetsItsName(t *testing.T) {
	d := powercut.New()
	disk, _ := d.Mount(t)
	folder := filepath.Join(disk, "a")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := durable.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(filepath.Join(folder, "x"), []byte("1")); err != nil {
		t.Fatal(err)
	}
	if text, err := afterCut(t, d, "a/x"); text != "1" {
		t.Errorf("%q, %v", text, err)
	}
}

// Whichever change the power fails before, a replaced file is the old one or the new one.
func TestAFileIsReplacedWhole(t *testing.T) {
	for n := 1; ; n++ {
		d := powercut.New()
		disk, unmount := d.Mount(t)
		name := filepath.Join(disk, "x")
		if err := durable.WriteFile(name, []byte("old")); err != nil {
			t.Fatal(err)
		}
		d.FreezeAt(n)
		err := durable.WriteFile(name, []byte("new"))
		unmount()
		for _, loss := range powercut.Losses() {
			dir := t.TempDir()
			if err := d.Cut(loss, rand.New(rand.NewPCG(uint64(n), 1))).Save("", dir); err != nil {
				t.Fatal(err)
			}
			text, _ := os.ReadFile(filepath.Join(dir, "x"))
			if got := string(text); got != "new" && (got != "old" || err == nil) {
				t.Errorf("change %d, %s: %q after %v", n, loss.Name, got, err)
			}
		}
		if err == nil {
			return
		}
	}
}

func TestAFileInTheWayIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if err := durable.MkdirAll(dir, 0o700); err == nil {
			t.Errorf("made %s", dir)
		}
	}
}
