package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"watchhouse/internal/durable"
)

// Files that SQLite keeps beside a database.
const (
	journalSuffix = "-journal"
	walSuffix     = "-wal"
	shmSuffix     = "-shm"
)

// firstJournalBytes is more than a rollback journal without a page in it takes: its header of a sector. The only one that is ever written
// is that of the first change of a new file, and a new file has no page to keep.
const firstJournalBytes = 4096

// isLeftOver tells whether the file and its companions are what a first start can leave that was cut off before anything was stored: sizes
// without contents. A byte other than zero in the file or its log may be data, which is never given up.
func isLeftOver(path string) (bool, error) {
	if size(path+journalSuffix) > firstJournalBytes {
		return false, nil
	}
	for _, name := range []string{path, path + walSuffix} {
		blank, err := isBlank(name)
		if err != nil || !blank {
			return false, err
		}
	}
	return true, nil
}

// removeLeftOver removes the file last: cut off again, the rest of it is still known for what it is.
func removeLeftOver(path string) error {
	for _, name := range []string{path + journalSuffix, path + walSuffix, path + shmSuffix, path} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("begin %s anew: %w", path, err)
		}
	}
	return durable.SyncDir(filepath.Dir(path))
}

// size is that of a file, 0 when there is none.
func size(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// isBlank says that a file is absent, empty or all zeros. It stops at the first byte that is not.
func isBlank(name string) (bool, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	zeros, part := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := f.Read(part)
		if !bytes.Equal(part[:n], zeros[:n]) {
			return false, nil
		}
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}
