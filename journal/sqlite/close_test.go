package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"watchhouse/journal/engine"
)

// A closed file is closed: its locks are gone and whoever replaces or copies it next may do so, in this process too.
func TestCloseGivesTheFilesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := openAt(t, DefaultConfig(path))
	l, err := db.Log(context.Background(), "x", engine.Normal)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Append(context.Background(), 0, []byte("a")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, open := range descriptors(t) {
		if strings.HasPrefix(open, path) {
			t.Errorf("%s is still open", open)
		}
	}
}

func descriptors(t *testing.T) []string {
	t.Helper()
	const folder = "/proc/self/fd"
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(folder, e.Name())); err == nil {
			open = append(open, to)
		}
	}
	return open
}
