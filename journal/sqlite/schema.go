package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"watchhouse/internal/durable"
	"watchhouse/journal/engine"
)

const (
	headerBytes   = 100 // of an SQLite file
	headerMagic   = "SQLite format 3\x00"
	versionOffset = 60 // of user_version in the header, big-endian
)

// CheckVersion tells, without touching anything, whether Open would refuse the file for its schema (engine.ErrNewer) or for
// not being a database (engine.ErrDamaged). The file must not be open in this process.
func CheckVersion(cfg Config) error { return peekVersion(cfg.Path, len(cfg.Migrations)) }

// peekVersion reads the schema version from the file's header, before SQLite gets to create anything beside it.
// It must not run while the file is open in this process (see the package comment).
func peekVersion(path string, ours int) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer f.Close()
	var h [headerBytes]byte
	n, err := io.ReadFull(f, h[:])
	if n == 0 && errors.Is(err, io.EOF) {
		return nil // created, but killed before the first write
	}
	if err == nil && string(h[:len(headerMagic)]) == headerMagic {
		return tooNew(path, int(binary.BigEndian.Uint32(h[versionOffset:])), ours)
	}
	if size(path+journalSuffix) > 0 {
		return nil // SQLite may roll the file back to what it was; Open looks at the version again
	}
	if left, err := isLeftOver(path); err != nil || left {
		return err
	}
	return fmt.Errorf("open %s: not a database: %w", path, engine.ErrDamaged)
}

func tooNew(path string, got, ours int) error {
	if got > ours {
		return fmt.Errorf("%s has schema %d, this program knows %d: %w", path, got, ours, engine.ErrNewer)
	}
	return nil
}

type rower interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// refuseNewer looks again: the version may still be in the write-ahead log.
func (db *DB) refuseNewer(ctx context.Context, c rower) error {
	v, err := userVersion(ctx, c)
	if err != nil {
		return err
	}
	return tooNew(db.cfg.Path, v, len(db.cfg.Migrations))
}

func userVersion(ctx context.Context, c rower) (int, error) {
	var v int
	err := c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v)
	return v, err
}

// migrate brings an older schema up to date, after a copy of the whole file to PATH.vN.bak, which is on the disk before anything changes.
func (db *DB) migrate(ctx context.Context) error {
	v, err := userVersion(ctx, db.write)
	if err != nil || v == len(db.cfg.Migrations) {
		return err
	}
	if v > 0 {
		if err := db.copyAside(ctx, v); err != nil {
			return err
		}
	}
	for ; v < len(db.cfg.Migrations); v++ {
		stmt := fmt.Sprintf("BEGIN IMMEDIATE;%s;PRAGMA user_version=%d;COMMIT", db.cfg.Migrations[v], v+1)
		if _, err := db.write.ExecContext(ctx, stmt); err != nil {
			_, rb := db.write.ExecContext(ctx, "ROLLBACK")
			return errors.Join(fmt.Errorf("migrate to schema %d: %w", v+1, err), rb)
		}
	}
	// The header must show the version to a program that only peeks.
	_, err = db.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

func (db *DB) copyAside(ctx context.Context, version int) error {
	to := fmt.Sprintf("%s.v%d.bak", db.cfg.Path, version)
	part := to + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("copy before migration: %w", err)
	}
	_, err := db.write.ExecContext(ctx, "VACUUM INTO ?", part)
	if err == nil {
		err = durable.SyncFile(part)
	}
	if err == nil {
		err = durable.Rename(part, to)
	}
	if err != nil {
		return fmt.Errorf("copy before migration: %w", err)
	}
	return nil
}
