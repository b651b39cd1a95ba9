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

// refill takes the space once the disk has room for it and as much again, or finds it taken by an earlier run.
func (r *reserve) refill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held || r.size == 0 {
		return
	}
	if s, err := os.Stat(r.path()); err == nil && s.Size() >= r.size {
		r.held = true
		return
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(r.dir, &s); err != nil || int64(s.Bavail)*s.Bsize < 2*r.size {
		return
	}
	if err := r.hold(); err != nil {
		r.log.Warn("cannot hold the reserve", "err", err)
	}
}

// hold allocates the file, with r.mu held.
func (r *reserve) hold() error {
	f, err := os.OpenFile(r.path(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	if err := errors.Join(allocate(f, r.size), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("reserve %d bytes: %w", r.size, err), os.Remove(r.path()))
	}
	r.held = true
	return nil
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
