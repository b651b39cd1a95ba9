package sqlite

import (
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"watchhouse/journal/engine"
)

// classify maps SQLite's codes to the engine's errors.
func classify(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w", engine.ErrNoSpace, err)
	}
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return err
	}
	switch se.Code() & 0xff {
	case lib.SQLITE_FULL:
		return fmt.Errorf("%w: %w", engine.ErrNoSpace, err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", engine.ErrDamaged, err)
	case lib.SQLITE_READONLY:
		return fmt.Errorf("%w: %w", engine.ErrReadOnly, err)
	default:
		return err
	}
}
