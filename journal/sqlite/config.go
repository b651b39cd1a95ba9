package sqlite

import (
	"log/slog"
	"net/url"
	"path/filepath"
	"time"
)

// Config of one file.
type Config struct {
	Path string
	// PageSize of a new file in bytes. Small pages suit small records, since a commit writes whole pages.
	PageSize int
	// CheckpointBytes of write-ahead log start a checkpoint; at eight times as much the writer waits for it.
	CheckpointBytes int64
	// GroupBytes bounds the bodies of one transaction, so that what comes after does not wait for long.
	GroupBytes int
	// Migrations turn schema version i into i+1; their number is this program's version. Empty means the shipped ones.
	Migrations []string
	Log        *slog.Logger

	// Admit, when not nil, is asked before the file grows by about so many bytes; its error is the write's.
	Admit func(bytes int64) error
	// CommitDelay, when not nil, is slept after each commit and before it is answered: a slow disk, for tests and the bench.
	CommitDelay func() time.Duration
}

// DefaultConfig is tuned for records of a few hundred bytes to 256 KiB.
func DefaultConfig(path string) Config {
	return Config{
		Path:            path,
		PageSize:        4096,
		CheckpointBytes: 8 << 20,
		GroupBytes:      1 << 20,
		Migrations:      []string{schemaV1},
		Log:             slog.New(slog.DiscardHandler),
	}
}

const schemaV1 = `
CREATE TABLE kv(
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY(bucket, key)
);
`

func dsn(path string, query url.Values) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	u := url.URL{Scheme: "file", Path: abs, RawQuery: query.Encode()}
	return u.String()
}
