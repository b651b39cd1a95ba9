package journal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"watchhouse/journal/engine"
)

// Step is one body in a chain. Hash covers the previous hash, N and the body.
type Step struct {
	N    uint64
	Hash [32]byte
	Body []byte
}

// maxGroupBytes bounds what one Append of a chain may hold; a replicated log would split nothing.
const maxGroupBytes = 32 << 20

// Chain is a hash-chained log with one writer: the ledger, the registry's change sets. Safe for concurrent use; appends
// take turns.
type Chain struct {
	name string
	file *file
	env  *laneEnv

	mu     sync.Mutex
	log    engine.Log // opened by the first use
	id     string
	known  bool // tail is the stored one
	tail   chainTail
	near   chainPlace // where a step was last found
	packer packer
	packed []byte // memory of the last packed record
}

// chainTail is the end of a chain: the last record's sequence, the last step's number and hash.
type chainTail struct {
	seq  uint64
	n    uint64
	hash [32]byte
}

func newChain(name string, f *file, env *laneEnv) *Chain {
	if !regexp.MustCompile(`^[a-z][a-z0-9_]{0,24}$`).MatchString(name) {
		panic(fmt.Sprintf("journal: chain name %q: want a-z, 0-9 and _", name))
	}
	return &Chain{name: name, file: f, env: env, packer: packer{z: env.codec.encoder}}
}

const (
	chainBucket = "chain"
	// ledgerChain commits with the events: a step is what makes one seen.
	ledgerChain = "ledger"
)

// open opens the log and makes the id when the chain is new, with c.mu held.
func (c *Chain) open(ctx context.Context) error {
	if c.log != nil && c.id != "" {
		return nil
	}
	p := engine.Normal
	if c.name == ledgerChain {
		p = engine.Urgent
	}
	log, err := c.file.engine.Log(ctx, chainLogPrefix+c.name, p)
	if err != nil {
		return translate(err)
	}
	id, err := c.file.engine.Get(ctx, chainBucket, c.name)
	if errors.Is(err, engine.ErrNotFound) && !c.env.readOnly {
		var b [16]byte
		rand.Read(b[:])
		id = []byte(hex.EncodeToString(b[:]))
		err = c.file.engine.Put(ctx, chainBucket, c.name, id)
	}
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return translate(err)
	}
	c.log, c.id = log, string(id)
	return nil
}

// ID is made once when the chain is created and survives restarts (the stream's epoch). It is empty while the disk does not
// let it be stored.
func (c *Chain) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.open(context.Background()); err != nil {
		c.file.log.Error("chain cannot be opened", "chain", c.name, "err", err)
	}
	return c.id
}

// Append appends bodies as steps expect+1… in one commit. ErrConflict when the last is not expect. An unknown outcome is
// resolved by reading the last record: committed or not, never doubled. With an error other than ErrConflict the steps may
// still be stored only if reading failed, too; the next Append finds out.
func (c *Chain) Append(ctx context.Context, expect uint64, bodies ...[]byte) ([]Step, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.env.readOnly {
		return nil, c.file.unavailable()
	}
	if err := c.learn(ctx); err != nil {
		return nil, err
	}
	if c.tail.n != expect {
		return nil, fmt.Errorf("%w: chain %s is at %d, expected %d", ErrConflict, c.name, c.tail.n, expect)
	}
	if len(bodies) == 0 {
		return nil, nil
	}
	if !c.hasRoom() {
		return nil, fmt.Errorf("%w: chain %s: %s is at its size cap", ErrLaneFull, c.name, c.file.name)
	}
	steps, raw, err := buildGroup(c.tail, bodies)
	if err != nil {
		return nil, fmt.Errorf("chain %s: %w", c.name, err)
	}
	h := header{
		Magic: chainMagic(), Writer: c.env.writer, Epoch: c.env.epoch,
		First: expect + 1, TimeNS: time.Now().UnixNano(), Count: uint32(len(bodies)),
	}
	if err := c.store(ctx, c.packer.seal(raw, &c.packed, h)); err != nil {
		return nil, err
	}
	c.tail = chainTail{seq: c.tail.seq + 1, n: expect + uint64(len(bodies)), hash: steps[len(steps)-1].Hash}
	return steps, nil
}

// hasRoom: the chains have what messages cannot take, and what these leave. The last twentieth is the ledger's.
func (c *Chain) hasRoom() bool {
	share := 1.0
	if c.name != ledgerChain {
		share = 0.95
	}
	most := float64(c.file.maxBytes)
	used := c.file.engine.Used()
	return float64(used) < share*most || float64(used-c.file.messages.Load()) < share*(1-lifeMessages)*most
}

// store appends a record after the tail, with c.mu held.
func (c *Chain) store(ctx context.Context, record []byte) error {
	err := c.file.onReserve(func() error { return c.log.Append(ctx, c.tail.seq, record) })
	if err == nil {
		return nil
	}
	c.known = false
	if errors.Is(err, engine.ErrNoSpace) || errors.Is(err, engine.ErrClosed) {
		return fmt.Errorf("chain %s: %w", c.name, translate(err))
	}
	// The caller's ctx may have ended; what happened must be known all the same.
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveWithin)
	defer cancel()
	stored, lerr := isStored(look, c.log, c.tail.seq+1, record)
	switch {
	case lerr != nil:
		return fmt.Errorf("chain %s: %w", c.name, errors.Join(translate(err), translate(lerr)))
	case stored:
		c.known = true
		return nil
	default:
		return fmt.Errorf("chain %s: %w", c.name, translate(err))
	}
}

// resolveWithin bounds the reading after an append of unknown outcome.
const resolveWithin = 5 * time.Second

// Last is the number of the last step, 0 when empty.
func (c *Chain) Last(ctx context.Context) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.learn(ctx); err != nil {
		return 0, err
	}
	return c.tail.n, nil
}

// learn reads the tail when it is not known, with c.mu held.
func (c *Chain) learn(ctx context.Context) error {
	if err := c.open(ctx); err != nil {
		return err
	}
	if c.known && !c.env.readOnly {
		return nil
	}
	_, last, err := c.log.Bounds(ctx)
	if err != nil {
		return translate(err)
	}
	if last == c.tail.seq && last != 0 {
		c.known = true
		return nil
	}
	tail := chainTail{seq: last}
	if last > 0 {
		g, err := c.group(ctx, last)
		if err != nil {
			return err
		}
		end := g.steps[len(g.steps)-1]
		tail.n, tail.hash = end.N, end.Hash
	}
	c.tail, c.known = tail, true
	return nil
}

// Wait blocks until there is a step after n, or ctx ends.
func (c *Chain) Wait(ctx context.Context, n uint64) error {
	for {
		c.mu.Lock()
		err := c.learn(ctx)
		tail, log := c.tail, c.log
		c.mu.Unlock()
		if err != nil || tail.n > n {
			return err
		}
		if err := log.Wait(ctx, tail.seq); err != nil {
			return translate(err)
		}
	}
}
