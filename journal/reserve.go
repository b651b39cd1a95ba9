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

// reserve is disk space kept back for life.db: a file with its blocks allocated, given up a part at a time when the disk is full.
type reserve struct {
	dir  string
	size int64
	log  *slog.Logger

	mu     sync.Mutex
	held   int64
	missed bool // it was said that there is no room
}

// reserveParts is how many times life can be helped; what is not needed yet stays out of the reach of other programs.
const reserveParts = 8

func (r *reserve) path() string { return filepath.Join(r.dir, reserveFile) }

// missing is what is not held of it.
func (r *reserve) missing() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.size - r.held
}

// needed is how much must be free for a refill: what is missing and as much as the whole again; 0 when it is whole.
func (r *reserve) needed() int64 {
	if missing := r.missing(); missing > 0 {
		return missing + r.size
	}
	return 0
}

// refill takes the space once the disk has room for it and as much again, or finds it taken by an earlier run.
func (r *reserve) refill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held >= r.size {
		return
	}
	if s, err := os.Stat(r.path()); err == nil {
		r.held = min(s.Size(), r.size)
	}
	missing := r.size - r.held
	if missing == 0 {
		return
	}
	left, err := freeSpace(r.dir)
	if err == nil && left >= missing+r.size {
		err = r.hold()
	} else if err == nil {
		err = fmt.Errorf("%d bytes are free, %d are needed", left, missing+r.size)
	}
	if err != nil && !r.missed {
		r.log.Error("no room for the reserve: a full disk will stop emergencies", "bytes", missing, "err", err)
	}
	r.missed = err != nil
}

// leastFree is what opening the files takes of the disk.
const leastFree = mib

// makeRoom gives up a part of what an earlier run has kept, when the disk is so full that the files could not even be opened.
func (r *reserve) makeRoom() {
	s, err := os.Stat(r.path())
	if err != nil {
		return
	}
	r.mu.Lock()
	r.held = min(s.Size(), r.size)
	r.mu.Unlock()
	if left, err := freeSpace(r.dir); err == nil && left < leastFree {
		r.free()
	}
}

// freeSpace is what an ordinary user may still write to the disk of dir.
func freeSpace(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("free space: %w", err)
	}
	return int64(s.Bavail) * s.Bsize, nil
}

// hold allocates the file, with r.mu held.
func (r *reserve) hold() error {
	f, err := os.OpenFile(r.path(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	if err := errors.Join(allocate(f, r.size), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("reserve %d bytes: %w", r.size, err), os.Truncate(r.path(), r.held))
	}
	r.held = r.size
	return nil
}

// free gives a part up; false when there was none to give.
func (r *reserve) free() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == 0 {
		return false
	}
	rest := max(r.held-max(r.size/reserveParts, mib), 0)
	err := os.Truncate(r.path(), rest)
	if err == nil && rest == 0 {
		err = os.Remove(r.path())
	}
	if err != nil {
		r.held = 0 // it is not where it was: whether there is any is found out by the next refill
		r.log.Error("cannot free the reserve", "err", err)
		return false
	}
	r.log.Warn("disk is full, a part of the reserve is freed for life", "bytes", r.held-rest, "left", rest)
	r.held = rest
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
