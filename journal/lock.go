package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"watchhouse/internal/durable"
)

// lockDir takes the data folder for this process; the lock dies with it, however it dies.
func lockDir(dir string) (*os.File, error) {
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		cerr := f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("%w: %s", ErrInUse, dir), cerr)
		}
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), cerr)
	}
	return f, nil
}

// unlockDir gives the folder up. Closing alone would not: a child process being started at this moment shares the
// descriptor, and with it the lock, until it has begun to run.
func unlockDir(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
