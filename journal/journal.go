package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"watchhouse/journal/engine"
)

// Journal is the open data folder: three lanes, chains, streams and a small key-value store.
type Journal struct {
	cfg   Config
	log   *slog.Logger
	env   *laneEnv
	life  *file
	bulk  *file
	flock *os.File // nil when read-only
	lanes map[LaneName]*Lane
	side  map[string]*Stream

	kick    chan struct{} // calls the keeper; capacity 1
	purging sync.Mutex    // of the lanes' accounts of what is on disk

	mu     sync.Mutex
	chains map[string]*Chain

	cancel    context.CancelFunc // ends what still retries when Close may wait no longer
	stop      context.CancelFunc // ends the housekeeping
	keepers   sync.WaitGroup
	closeOnce sync.Once
	closeErr  error
}

// Lane gives a lane; it panics on a name that is none of the three.
func (j *Journal) Lane(name LaneName) *Lane {
	l, ok := j.lanes[name]
	if !ok {
		panic(fmt.Sprintf("journal: no lane %q", name))
	}
	return l
}

// Stream gives a side log of bulk.db, "rejects" or "deadletter"; it panics on any other name.
func (j *Journal) Stream(name string) *Stream {
	s, ok := j.side[name]
	if !ok {
		panic(fmt.Sprintf("journal: no stream %q", name))
	}
	return s
}

// Chain gives a hash-chained log in life.db: "ledger" (the alert engine's), "registry", "audit". It is created by the first
// append. Names are [a-z][a-z0-9_]*; two calls with one name give the same chain.
func (j *Journal) Chain(name string) *Chain {
	j.mu.Lock()
	defer j.mu.Unlock()
	c, ok := j.chains[name]
	if !ok {
		c = newChain(name, j.life, j.env)
		j.chains[name] = c
	}
	return c
}

// KV gives the key-value store of life.db, under a bucket name (sessions, snapshots…).
func (j *Journal) KV(bucket string) *KV {
	return &KV{file: j.life, engine: j.life.engine, bucket: "app." + bucket}
}

// lanesOf lists the lanes and streams of a file in a fixed order.
func (j *Journal) lanesOf(f *file) []*Lane {
	var out []*Lane
	for _, n := range []LaneName{EventLane, StateLane, TelemetryLane} {
		if l := j.lanes[n]; l.file == f {
			out = append(out, l)
		}
	}
	for _, n := range streamNames() {
		if l := j.side[n].lane; l.file == f {
			out = append(out, l)
		}
	}
	return out
}

func (j *Journal) all() []*Lane { return append(j.lanesOf(j.life), j.lanesOf(j.bulk)...) }

// Close drains the committers (until ctx ends) and releases the lock. Idempotent. What could not be stored by then gets its
// callback with ErrClosed.
func (j *Journal) Close(ctx context.Context) error {
	j.closeOnce.Do(func() { j.closeErr = j.shut(ctx) })
	return j.closeErr
}

func (j *Journal) shut(ctx context.Context) error {
	j.stop()
	j.keepers.Wait()
	lanes := j.all()
	for _, l := range lanes {
		l.close()
	}
	for _, l := range lanes {
		select {
		case <-l.done:
		case <-ctx.Done():
			j.cancel()
			<-l.done
		}
	}
	j.cancel()
	j.saveAccounts(context.WithoutCancel(ctx))
	err := errors.Join(j.life.close(ctx), j.bulk.close(ctx), j.env.codec.close())
	if j.flock != nil {
		err = errors.Join(err, unlockDir(j.flock))
	}
	return err
}

// KV is a bucket of keys. Put is durable when it returns.
type KV struct {
	file   *file
	engine engine.Engine
	bucket string
}

// Get gives the value of a key, or ErrNotFound.
func (k *KV) Get(ctx context.Context, key string) ([]byte, error) {
	v, err := k.engine.Get(ctx, k.bucket, key)
	return v, translate(err)
}

// Put stores a value; it is durable when Put returns.
func (k *KV) Put(ctx context.Context, key string, value []byte) error {
	return translate(k.file.onReserve(func() error { return k.engine.Put(ctx, k.bucket, key, value) }))
}

// Delete removes a key; an absent one is no error.
func (k *KV) Delete(ctx context.Context, key string) error {
	return translate(k.engine.Delete(ctx, k.bucket, key))
}

// Keys lists the bucket, sorted.
func (k *KV) Keys(ctx context.Context) ([]string, error) {
	keys, err := k.engine.Keys(ctx, k.bucket)
	return keys, translate(err)
}
