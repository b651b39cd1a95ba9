package journal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"watchhouse/journal/engine"
	"watchhouse/journal/sqlite"
)

// Prefixes of the logs' names in an engine.
const (
	laneLogPrefix  = "lane_"
	chainLogPrefix = "chain_"
)

// opener opens one file; tests put a faulty engine in its place.
type opener func(ctx context.Context, cfg sqlite.Config) (engine.Engine, error)

func openSQLite(ctx context.Context, cfg sqlite.Config) (engine.Engine, error) {
	return sqlite.Open(ctx, cfg)
}

func openSQLiteReadOnly(ctx context.Context, cfg sqlite.Config) (engine.Engine, error) {
	return sqlite.OpenReadOnly(ctx, cfg)
}

// Open locks cfg.Dir and opens or creates life.db and bulk.db. A bulk.db out of order leaves the journal degraded, not
// failed. Errors: ErrInUse, ErrNewer, ErrDamaged (of life), a faulty Config. ctx bounds the opening only.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Journal, error) {
	return open(ctx, cfg, log, openSQLite)
}

func open(ctx context.Context, cfg Config, log *slog.Logger, with opener) (_ *Journal, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	flock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	j, err := assemble(ctx, cfg, log, with)
	if err != nil {
		return nil, errors.Join(err, unlockDir(flock))
	}
	j.flock = flock
	j.start()
	return j, nil
}

// OpenReadOnly opens beside a running hub, or without one, for tools. Nothing is written; Submit and the like refuse.
func OpenReadOnly(ctx context.Context, dir string) (*Journal, error) {
	cfg := DefaultConfig()
	cfg.Dir, cfg.ReserveBytes = dir, 0 // which is the writer's
	if _, err := os.Stat(filepath.Join(dir, lifeFile)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	j, err := assemble(ctx, cfg, slog.New(slog.DiscardHandler), openSQLiteReadOnly)
	if err != nil {
		return nil, err
	}
	j.startReadOnly()
	return j, nil
}

// assemble opens the files and builds everything, without starting a goroutine of the journal's own.
func assemble(ctx context.Context, cfg Config, log *slog.Logger, with opener) (*Journal, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	j := &Journal{
		cfg: cfg, log: log,
		env:    &laneEnv{maxFrame: cfg.MaxFrameBytes, codec: c, kick: make(chan struct{}, 1)},
		lanes:  map[LaneName]*Lane{},
		side:   map[string]*Stream{},
		chains: map[string]*Chain{},
		stop:   func() {},
		cancel: func() {},
	}
	j.kick = j.env.kick
	held := &reserve{dir: cfg.Dir, size: cfg.ReserveBytes, log: log}
	held.makeRoom()
	j.life = &file{name: lifeFile, maxBytes: withoutLog(cfg.LifeMaxBytes), log: log, reserve: held}
	j.bulk = &file{name: bulkFile, maxBytes: withoutLog(cfg.BulkMaxBytes), log: log, disk: &diskGuard{dir: cfg.Dir, reserve: held}}
	if err := j.openAll(ctx, with); err != nil {
		return nil, errors.Join(err, j.life.close(ctx), j.bulk.close(ctx), c.close())
	}
	return j, nil
}

func (j *Journal) openAll(ctx context.Context, with opener) error {
	// Both before either is opened, so that a refused folder is left as it was.
	for _, f := range []*file{j.life, j.bulk} {
		if err := sqlite.CheckVersion(j.fileConfig(f)); errors.Is(err, engine.ErrNewer) {
			return translate(err)
		}
	}
	if err := j.openFile(ctx, j.life, with); err != nil {
		return err
	}
	if err := j.life.onReserve(func() error { return j.identify(ctx) }); err != nil {
		return err
	}
	if err := j.openFile(ctx, j.bulk, with); err != nil {
		if errors.Is(err, ErrNewer) {
			return err
		}
		j.degrade(err)
	}
	for _, n := range []LaneName{EventLane, StateLane} {
		if err := j.openLane(ctx, n); err != nil {
			return err
		}
	}
	if err := j.openBulkLanes(ctx); err != nil || j.env.readOnly {
		return err
	}
	return j.checkChains(ctx)
}

// checkChains reads the end of every chain there is, so that a damaged ledger is known before anybody is served.
func (j *Journal) checkChains(ctx context.Context) error {
	names, err := j.chainNames(ctx)
	if err != nil {
		return err
	}
	for _, n := range names {
		if _, err := j.Chain(n).Last(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) chainNames(ctx context.Context) ([]string, error) {
	logs, err := j.life.engine.Logs(ctx)
	var names []string
	for _, l := range logs {
		if n, ok := strings.CutPrefix(l, chainLogPrefix); ok {
			names = append(names, n)
		}
	}
	return names, translate(err)
}

func (j *Journal) openFile(ctx context.Context, f *file, with opener) error {
	e, err := with(ctx, j.fileConfig(f))
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, translate(err))
	}
	f.engine = e
	if s := e.Stats(); s.Err != nil {
		return fmt.Errorf("%s: %w", f.name, translate(s.Err))
	}
	return nil
}

func (j *Journal) fileConfig(f *file) sqlite.Config {
	cfg := sqlite.DefaultConfig(filepath.Join(j.cfg.Dir, f.name))
	cfg.Log, cfg.CommitDelay = j.log, j.cfg.CommitDelay
	if f.disk != nil {
		cfg.Admit = f.disk.admit
	}
	cfg.CheckpointBytes = checkpointBytes(f.maxBytes)
	return cfg
}

// The write-ahead log is inside a file's cap: it is moved into the file from a 64th of the cap on, or from what is usual for a large one,
// and cut off at eight times as much. That much is kept out of what the lanes may use.
const (
	checkpointPart  = 64
	checkpointLeast = 16 << 10
	logParts        = 8
)

func checkpointBytes(most int64) int64 {
	return max(checkpointLeast, min(sqlite.DefaultConfig("").CheckpointBytes, most/checkpointPart))
}

// withoutLog is what a cap leaves for the file itself.
func withoutLog(most int64) int64 { return most - logParts*checkpointBytes(most) }

// degrade goes on without bulk.db.
func (j *Journal) degrade(err error) {
	j.bulk.err = err
	j.log.Error("bulk.db is out of order, telemetry is refused", "err", err)
	if j.bulk.engine == nil {
		return
	}
	if cerr := j.bulk.close(context.Background()); cerr != nil {
		j.log.Warn("closing a damaged file", "err", cerr)
	}
	j.bulk.engine = nil
}

// Keys of the journal's own bucket.
const (
	ownBucket = "journal"
	writerKey = "writer"
	epochKey  = "epoch"
)

// identify gives this folder's writer id, made once, and a new epoch, which grows with every opening.
func (j *Journal) identify(ctx context.Context) error {
	e := j.life.engine
	writer, err := e.Get(ctx, ownBucket, writerKey)
	if j.env.readOnly = isReadOnly(e); j.env.readOnly {
		return nil
	}
	if errors.Is(err, engine.ErrNotFound) {
		writer = make([]byte, 8)
		rand.Read(writer)
		err = e.Put(ctx, ownBucket, writerKey, writer)
	}
	if err != nil {
		return translate(err)
	}
	epoch, err := e.Get(ctx, ownBucket, epochKey)
	if errors.Is(err, engine.ErrNotFound) {
		epoch, err = make([]byte, 8), nil
	}
	if err == nil && (len(writer) != 8 || len(epoch) != 8) {
		err = fmt.Errorf("%w: writer id or epoch", engine.ErrDamaged)
	}
	if err != nil {
		return translate(err)
	}
	j.env.writer = binary.LittleEndian.Uint64(writer)
	j.env.epoch = binary.LittleEndian.Uint64(epoch) + 1
	return translate(e.Put(ctx, ownBucket, epochKey, binary.LittleEndian.AppendUint64(nil, j.env.epoch)))
}

func isReadOnly(e engine.Engine) bool {
	r, ok := e.(interface{ ReadOnly() bool })
	return ok && r.ReadOnly()
}
