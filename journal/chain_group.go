package journal

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"watchhouse/journal/engine"
)

// group is one record of a chain: steps committed together.
type group struct {
	seq   uint64
	prev  [32]byte // hash of the step before the first
	steps []Step
}

func stepHash(prev [32]byte, n uint64, body []byte) [32]byte {
	h := sha256.New()
	h.Write(prev[:])
	h.Write(binary.BigEndian.AppendUint64(nil, n))
	h.Write(body)
	return [32]byte(h.Sum(nil))
}

// buildGroup hashes the bodies and encodes the record's body after headerSize free bytes: the previous hash, the last hash,
// then length and bytes of each step.
func buildGroup(tail chainTail, bodies [][]byte) ([]Step, []byte, error) {
	size := headerSize + 2*sha256.Size
	for _, b := range bodies {
		size += len(b) + binary.MaxVarintLen32
	}
	if size > maxGroupBytes {
		return nil, nil, fmt.Errorf("%w: group of %d bytes, at most %d", ErrTooLarge, size, maxGroupBytes)
	}
	raw := make([]byte, headerSize+2*sha256.Size, size)
	copy(raw[headerSize:], tail.hash[:])
	steps := make([]Step, len(bodies))
	hash := tail.hash
	for i, b := range bodies {
		n := tail.n + uint64(i) + 1
		hash = stepHash(hash, n, b)
		steps[i] = Step{N: n, Hash: hash, Body: b}
		raw = appendBytes(raw, b)
	}
	copy(raw[headerSize+sha256.Size:], hash[:])
	return steps, raw, nil
}

// parseGroup decodes a record and checks its own hashes.
func parseGroup(rec engine.Record, c *codec) (*group, error) {
	h, body, err := openFrame(rec.Body, chainMagic(), c.decoder)
	if err != nil {
		return nil, err
	}
	if len(body) < 2*sha256.Size || h.Count == 0 || uint64(h.Count) > uint64(len(body)) {
		return nil, fmt.Errorf("%w: %d steps in %d bytes", errFrame, h.Count, len(body))
	}
	g := &group{seq: rec.Seq, prev: [32]byte(body[:32]), steps: make([]Step, h.Count)}
	want := [32]byte(body[32:64])
	r := entryReader{body: body, off: 2 * sha256.Size}
	hash := g.prev
	for i := range g.steps {
		from, to := r.span()
		n := h.First + uint64(i)
		hash = stepHash(hash, n, body[from:to])
		g.steps[i] = Step{N: n, Hash: hash, Body: body[from:to:to]}
	}
	if r.err == nil && r.off != len(body) {
		r.fail("%d bytes left over", len(body)-r.off)
	}
	if r.err == nil && hash != want {
		return nil, fmt.Errorf("%w: steps %d to %d do not hash to what was written", errFrame, h.First, h.end()-1)
	}
	return g, r.err
}

func (c *Chain) parse(rec engine.Record) (*group, error) {
	g, err := parseGroup(rec, c.env.codec)
	if err != nil {
		return nil, fmt.Errorf("%w: chain %s record %d: %w", ErrDamaged, c.name, rec.Seq, err)
	}
	return g, nil
}

// group reads the record of that sequence.
func (c *Chain) group(ctx context.Context, seq uint64) (*group, error) {
	recs, err := c.log.Read(ctx, seq, 1, 1)
	if err != nil {
		return nil, translate(err)
	}
	if len(recs) == 0 || recs[0].Seq != seq {
		return nil, fmt.Errorf("%w: chain %s record %d is missing", ErrDamaged, c.name, seq)
	}
	return c.parse(recs[0])
}

// Read returns up to limit steps from n on, verified against the hash chain: each record's own hashes, its link to the
// record before it and, at the end, to the one after it. A fault is ErrDamaged, after the sound steps before it.
func (c *Chain) Read(ctx context.Context, n uint64, limit int) ([]Step, error) {
	c.mu.Lock()
	err := c.learn(ctx)
	tail, near := c.tail, c.near
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if n > tail.n || tail.seq == 0 {
		return nil, nil
	}
	seq, err := c.find(ctx, n, near)
	if err != nil || seq == 0 {
		return nil, err
	}
	w := chainWalk{chain: c, tail: tail, seq: seq, want: limit}
	if err := w.anchor(ctx); err != nil {
		return nil, err
	}
	var out []Step
	for len(out) < limit {
		g, err := w.next(ctx)
		if err != nil {
			return out, err
		}
		if g == nil {
			break
		}
		for _, s := range g.steps {
			if s.N >= n && len(out) < limit {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

// find gives the record that holds step n. Who reads a chain reads on from where he was: each record has a step at least, so the
// last place found bounds where the next can be.
func (c *Chain) find(ctx context.Context, n uint64, near chainPlace) (uint64, error) {
	lo, hi, err := c.log.Bounds(ctx)
	if err != nil || hi == 0 {
		return 0, translate(err)
	}
	hi++
	from, to := lo, hi
	switch {
	case near.seq < lo || near.seq >= hi:
	case n < near.first:
		to = near.seq
	default:
		from, to = near.seq, min(hi, near.seq+(n-near.first)+1)
	}
	rec, h, err := findRecordIn(ctx, c.log, chainMagic(), n, from, to)
	if err == nil && rec == nil && (from > lo || to < hi) { // a record is missing: it is looked for everywhere
		rec, h, err = findRecordIn(ctx, c.log, chainMagic(), n, lo, hi)
	}
	if err != nil || rec == nil {
		return 0, err
	}
	c.mu.Lock()
	c.near = chainPlace{seq: rec.Seq, first: h.First}
	c.mu.Unlock()
	return rec.Seq, nil
}

// chainPlace is a record and its first step.
type chainPlace struct{ seq, first uint64 }

// chainWalk reads records in order and checks each link before it gives a record out.
type chainWalk struct {
	chain   *Chain
	tail    chainTail
	seq     uint64    // of the record to give next
	linked  bool      // before is known
	before  chainTail // end of the record before seq
	want    int       // how many steps are asked for, 0 = all there are
	fetched []engine.Record
	ahead   *group // parsed already, seq's
}

// anchor reads the end of the record before the first one, when it is kept.
func (w *chainWalk) anchor(ctx context.Context) error {
	first, _, err := w.chain.log.Bounds(ctx)
	if err != nil || w.seq <= first {
		return translate(err)
	}
	g, err := w.chain.group(ctx, w.seq-1)
	if err != nil {
		return err
	}
	w.passed(g)
	return nil
}

func (w *chainWalk) passed(g *group) {
	end := g.steps[len(g.steps)-1]
	w.before, w.linked = chainTail{seq: g.seq, n: end.N, hash: end.Hash}, true
}

// next gives the next record, nil at the end. The link to the record after it is checked, too: it is what shows that this
// one was rewritten with hashes that fit in themselves.
func (w *chainWalk) next(ctx context.Context) (*group, error) {
	g, err := w.load(ctx)
	if err != nil || g == nil {
		return nil, err
	}
	w.passed(g)
	w.seq, w.ahead = g.seq+1, nil
	if g.seq == w.tail.seq {
		if w.before.hash != w.tail.hash {
			return nil, fmt.Errorf("%w: chain %s was rewritten at record %d", ErrDamaged, w.chain.name, g.seq)
		}
		return g, nil
	}
	if w.ahead, err = w.load(ctx); err != nil {
		return nil, fmt.Errorf("after step %d: %w", w.before.n, err)
	}
	return g, nil
}

// records is how many records one query brings: no more than can be needed with the one that shows the last to be sound.
func (w *chainWalk) records() int {
	if w.want > 0 && w.want < readRecords {
		return w.want + 1
	}
	return readRecords
}

// load parses the record at seq and checks that it follows the one before.
func (w *chainWalk) load(ctx context.Context) (*group, error) {
	if w.ahead != nil {
		return w.ahead, nil
	}
	if w.seq > w.tail.seq {
		return nil, nil
	}
	if len(w.fetched) == 0 {
		recs, err := w.chain.log.Read(ctx, w.seq, w.records(), readBytes)
		if err != nil {
			return nil, translate(err)
		}
		w.fetched = recs
	}
	if len(w.fetched) == 0 || w.fetched[0].Seq != w.seq {
		return nil, fmt.Errorf("%w: chain %s record %d is missing", ErrDamaged, w.chain.name, w.seq)
	}
	g, err := w.chain.parse(w.fetched[0])
	if err != nil {
		return nil, err
	}
	w.fetched = w.fetched[1:]
	if w.linked && (g.prev != w.before.hash || g.steps[0].N != w.before.n+1) {
		return nil, fmt.Errorf("%w: chain %s: step %d does not follow step %d", ErrDamaged, w.chain.name, g.steps[0].N, w.before.n)
	}
	return g, nil
}
