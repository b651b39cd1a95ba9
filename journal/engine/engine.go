package engine

import (
	"context"
	"errors"
	"time"
)

// Errors every engine returns, possibly wrapped.
var (
	// ErrConflict says that the log's last sequence is not the expected one; nothing was stored.
	ErrConflict = errors.New("not the expected last sequence")
	// ErrNotFound says that a key is absent.
	ErrNotFound = errors.New("not found")
	// ErrNoSpace says that the disk or the store is full. The record may be taken as not stored.
	ErrNoSpace = errors.New("no space left")
	// ErrDamaged says that the store cannot be read as what it should be.
	ErrDamaged = errors.New("damaged store")
	// ErrNewer says that a newer program wrote the store.
	ErrNewer = errors.New("newer schema")
	// ErrReadOnly says that the store was opened for reading.
	ErrReadOnly = errors.New("opened read-only")
	// ErrClosed says that the engine was closed; the record was not stored.
	ErrClosed = errors.New("closed")
)

// Priority orders what waits for the same commit; lower goes first.
type Priority uint8

// Priorities of logs. Background is for housekeeping.
const (
	Urgent Priority = iota
	Normal
	Background
)

// Record is one record of a log. Body must not be changed.
type Record struct {
	Seq  uint64
	Body []byte
}

// Log is an append-only sequence of records, numbered from 1 without holes. Safe for concurrent use.
type Log interface {
	// Append stores bodies as records expect+1 and so on, all or none, and returns once they are on stable storage. With
	// ErrConflict, ErrNoSpace and ErrClosed nothing was stored; after any other error the outcome is unknown until Bounds or
	// Read answers. A ctx that ends counts as unknown, too. The bodies are not kept.
	Append(ctx context.Context, expect uint64, bodies ...[]byte) error
	// AppendAt stores one body as record seq, which is greater than expect: the numbers between stay free for ever.
	AppendAt(ctx context.Context, expect, seq uint64, body []byte) error
	// Bounds gives the first and last sequence kept, 0 and 0 for a log never written to.
	Bounds(ctx context.Context) (first, last uint64, err error)
	// Read returns stored records from sequence from on in ascending order, at most maxRecords, and stops once maxBytes of
	// bodies are exceeded, though never before the first. A hole in the numbers is returned as it is: the caller checks.
	Read(ctx context.Context, from uint64, maxRecords, maxBytes int) ([]Record, error)
	// Wait returns nil once a record after the given sequence is stored.
	Wait(ctx context.Context, after uint64) error
	// Purge removes records up to and including upTo, but never the last one, so that the numbering goes on.
	Purge(ctx context.Context, upTo uint64) error
}

// Engine is a store of logs and of small keyed values. Safe for concurrent use.
type Engine interface {
	// Log opens a log by name ([a-z][a-z0-9_]*, at most 32 bytes), creating it when absent.
	Log(ctx context.Context, name string, p Priority) (Log, error)
	// Logs lists the names of the logs present, sorted.
	Logs(ctx context.Context) ([]string, error)

	// Get returns the value of a key, or ErrNotFound.
	Get(ctx context.Context, bucket, key string) ([]byte, error)
	// Put is durable when it returns.
	Put(ctx context.Context, bucket, key string, value []byte) error
	// PutLater stores with the next commit or within a second; the newest value of a key wins. It never blocks on storage.
	PutLater(bucket, key string, value []byte)
	// Delete removes a key; an absent one is no error.
	Delete(ctx context.Context, bucket, key string) error
	// Keys lists the keys of a bucket, sorted.
	Keys(ctx context.Context, bucket string) ([]string, error)

	// Used is Stats().Bytes, cheap enough to ask for each message.
	Used() int64
	// Stats tells the state of the store, from memory.
	Stats() Stats
	// Check walks the store's own structures and names each fault found.
	Check(ctx context.Context) ([]string, error)
	// Close writes what PutLater left and closes. What waits for a commit gets ErrClosed once ctx ends.
	Close(ctx context.Context) error
}

// Stats of an engine.
type Stats struct {
	Err       error         // why the last commit failed, nil when it succeeded
	Bytes     int64         // in use, without space free for reuse
	Commits   uint64        // since the engine was opened
	CommitP50 time.Duration // of the recent commits
	CommitP99 time.Duration
}
