package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

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

// file is one of the two stores. Its engine is nil when it could not be opened (err says why).
type file struct {
	name     string
	engine   engine.Engine
	maxBytes int64
	err      error
	log      *slog.Logger
	reserve  *reserve     // nil for bulk
	disk     *diskGuard   // nil for life
	messages atomic.Int64 // bytes of all lanes' frames
	batches  batchPool
}

func (f *file) unavailable() error {
	if f.err != nil {
		// Only as text: a hub that runs without this file does not fail for its damage.
		return fmt.Errorf("%w: %s: %v", ErrUnavailable, f.name, f.err) //nolint:errorlint // see above
	}
	return fmt.Errorf("%w: %s is opened read-only", ErrUnavailable, f.name)
}

// usedRatio is how much of its cap the file takes. For bulk.db what is left of the disk counts as a cap, too, so that it goes
// on in the space it has before the disk is full.
func (f *file) usedRatio() float64 {
	if f.maxBytes == 0 {
		return 0
	}
	used, most := f.engine.Used(), f.maxBytes
	if f.disk != nil {
		most = min(most, used+f.disk.room())
	}
	return float64(used) / float64(max(most, 1))
}

func (f *file) health() FileHealth {
	if f.engine == nil {
		return FileHealth{Err: f.unavailable()}
	}
	s := f.engine.Stats()
	return FileHealth{
		Err: translate(s.Err), Bytes: s.Bytes, UsedRatio: f.usedRatio(), FsyncP50: s.CommitP50, FsyncP99: s.CommitP99, Commits: s.Commits,
	}
}

// onReserve writes, and when the disk is full again on what the reserve gives up for life.
func (f *file) onReserve(write func() error) error {
	err := write()
	for errors.Is(err, engine.ErrNoSpace) && f.reserve != nil && f.reserve.free() {
		err = write()
	}
	return err
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
