package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/klauspost/compress/zstd"

	"watchhouse/journal/engine"
)

// Names of the files in the data folder.
const (
	lifeFile    = "life.db"
	bulkFile    = "bulk.db"
	lockFile    = "lock"
	reserveFile = "reserve"
)

// Shares of a file's cap. The state lane stops first, so that what waits for a lagging reader of it cannot crowd out the
// events; chains and keys may use the rest.
const (
	stateShare = 0.90
	eventShare = 0.97
	bulkShare  = 0.97
	wholeShare = 1.00
)

// file is one of the two stores. Its engine is nil when it could not be opened (err says why).
type file struct {
	name     string
	engine   engine.Engine
	maxBytes int64
	err      error
	log      *slog.Logger
	reserve  *reserve // nil for bulk
	batches  batchPool
}

func (f *file) unavailable() error {
	if f.err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, f.name, f.err)
	}
	return fmt.Errorf("%w: %s is opened read-only", ErrUnavailable, f.name)
}

func (f *file) usedRatio() float64 {
	if f.maxBytes == 0 {
		return 0
	}
	return float64(f.engine.Used()) / float64(f.maxBytes)
}

func (f *file) health() FileHealth {
	if f.engine == nil {
		return FileHealth{Err: f.unavailable()}
	}
	s := f.engine.Stats()
	h := FileHealth{Err: translate(s.Err), Bytes: s.Bytes, FsyncP50: s.CommitP50, FsyncP99: s.CommitP99, Commits: s.Commits}
	if f.maxBytes > 0 {
		h.UsedRatio = float64(s.Bytes) / float64(f.maxBytes)
	}
	return h
}

// freeReserve gives the reserved disk space to life; false when there was none.
func (f *file) freeReserve() bool {
	return f.reserve != nil && f.reserve.free()
}

func (f *file) close(ctx context.Context) error {
	if f.engine == nil {
		return nil
	}
	if err := f.engine.Close(ctx); err != nil {
		return fmt.Errorf("close %s: %w", f.name, err)
	}
	return nil
}

// codec holds the shared packer and unpacker; both are safe for concurrent use on whole buffers.
type codec struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

func newCodec() (*codec, error) {
	e, eerr := newEncoder()
	d, derr := newDecoder()
	return &codec{encoder: e, decoder: d}, errors.Join(eerr, derr)
}

func (c *codec) close() error {
	c.decoder.Close()
	return c.encoder.Close()
}
