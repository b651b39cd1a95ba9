// Package durable makes folders and files whose names survive a power cut. A sync of a file covers what is in it; its name stands in its
// folder, and a new, renamed or replaced name is lost with the power until the folder has been synced, too. Package os does not do that.
//
// Crash argument: MkdirAll syncs the parent of each folder before it makes anything in it, so a folder that is found has a name that is
// safe but for its own parent's sync, which MkdirAll therefore repeats. WriteFile syncs the new content under a name of its own before it
// takes the file's place, and returns after the sync of the folder: what is found is the old content or the new, and after the return the
// new.
//
// Nothing here keeps state: every function may be called from any goroutine. Errors are those of package os, wrapped.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// MkdirAll makes a folder and what is missing above it, each with its name on the disk.
func MkdirAll(dir string, mode fs.FileMode) error {
	dir = filepath.Clean(dir)
	parent := filepath.Dir(dir)
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return &os.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	case err == nil:
		// Whoever made it may have been killed before this. A parent that we may not read is not ours to sync.
		if err := SyncDir(parent); !errors.Is(err, fs.ErrPermission) {
			return err
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if parent != dir {
		if err := MkdirAll(parent, mode); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncDir(parent)
}

// SyncDir puts the names in a folder on the disk: of what was made, renamed or removed in it.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(ignoreUnable(d.Sync()), d.Close()); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// ignoreUnable forgives what knows no syncs: folders of some file systems, a terminal.
func ignoreUnable(err error) error {
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// SyncFile puts the content of a file on the disk that another library has written.
func SyncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(ignoreUnable(f.Sync()), f.Close())
}

// Rename moves a file, whose content is synced already, within its file system.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if err := SyncDir(filepath.Dir(to)); err != nil || filepath.Dir(from) == filepath.Dir(to) {
		return err
	}
	return SyncDir(filepath.Dir(from))
}

// WriteFile replaces a file as a whole, or makes it, for its owner alone.
func WriteFile(name string, content []byte) error {
	part, err := WritePart(name, content)
	if err != nil {
		return err
	}
	if err := Rename(part, name); err != nil {
		return errors.Join(err, ignoreAbsent(os.Remove(part)))
	}
	return nil
}

// WritePart writes and syncs what is to become a file beside it, for callers that put several files in place together by Rename.
func WritePart(name string, content []byte) (part string, err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".part-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
