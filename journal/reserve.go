package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// reserve is disk space kept back for life.db: a file with its blocks allocated, removed when the disk is full.
type reserve struct {
	dir  string
	size int64
	log  *slog.Logger

	mu   sync.Mutex
	held bool
}

func (r *reserve) path() string { return filepath.Join(r.dir, reserveFile) }

// hold allocates the file unless it is there. A disk without room for it is no error: the reserve is then tried again.
func (r *reserve) hold() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held || r.size == 0 {
		return nil
	}
	f, err := os.OpenFile(r.path(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	err = allocate(f, r.size)
	err = errors.Join(err, f.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("reserve %d bytes: %w", r.size, err), os.Remove(r.path()))
	}
	r.held = true
	return nil
}

// refill takes the space back once the disk has room for it and as much again.
func (r *reserve) refill() {
	r.mu.Lock()
	held := r.held
	r.mu.Unlock()
	var s syscall.Statfs_t
	if held || r.size == 0 || syscall.Statfs(r.dir, &s) != nil {
		return
	}
	if int64(s.Bavail)*s.Bsize < 2*r.size {
		return
	}
	if err := r.hold(); err != nil {
		r.log.Warn("cannot hold the reserve", "err", err)
	}
}

// free gives the space up; false when there was none to give.
func (r *reserve) free() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.held {
		return false
	}
	r.held = false
	if err := os.Remove(r.path()); err != nil {
		r.log.Error("cannot free the reserve", "err", err)
		return false
	}
	r.log.Warn("disk is full, reserve freed for life", "bytes", r.size)
	return true
}

// allocate reserves blocks, writing zeros where the file system cannot do it at a stroke.
func allocate(f *os.File, size int64) error {
	err := syscall.Fallocate(int(f.Fd()), 0, 0, size)
	if !errors.Is(err, syscall.EOPNOTSUPP) {
		return err
	}
	zeros := make([]byte, mib)
	for off := int64(0); off < size; off += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-off)], off); err != nil {
			return err
		}
	}
	return f.Sync()
}
