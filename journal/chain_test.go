package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"watchhouse/journal/engine/enginetest"
)

func TestChainExpectedLast(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(t)
	j := openTest(t, cfg)
	c := j.Chain("ledger")
	id := c.ID()
	if n, err := c.Last(ctx); n != 0 || err != nil {
		t.Fatalf("an empty chain: %d %v", n, err)
	}
	steps, err := c.Append(ctx, 0, []byte("a"), []byte("b"), nil)
	if err != nil || len(steps) != 3 || steps[2].N != 3 {
		t.Fatalf("append: %+v %v", steps, err)
	}
	for _, expect := range []uint64{0, 2, 4} {
		if _, err := c.Append(ctx, expect, []byte("x")); !errors.Is(err, ErrConflict) {
			t.Errorf("append expecting %d: %v, want ErrConflict", expect, err)
		}
	}
	closeIt(t, j)
	c = openTest(t, cfg).Chain("ledger")
	if c.ID() != id || len(id) != 32 {
		t.Errorf("id %q after a restart, was %q", c.ID(), id)
	}
	more, err := c.Append(ctx, 3, []byte("d"))
	if err != nil || more[0].Hash != stepHash(steps[2].Hash, 4, []byte("d")) {
		t.Fatalf("append after a restart: %+v %v", more, err)
	}
	got, err := c.Read(ctx, 2, 2)
	if err != nil || len(got) != 2 || string(got[0].Body) != "b" || got[1].Hash != steps[2].Hash {
		t.Errorf("read from 2: %+v %v", got, err)
	}
	if got, err := c.Read(ctx, 5, 2); err != nil || len(got) != 0 {
		t.Errorf("read beyond the end: %+v %v", got, err)
	}
}

// The chain against a model over a disk that fails before or after storing: a step is there once or not at all, and a caller
// that was told of a failure learns from Last which it is.
func TestChainModel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		m := &chainModel{stores: newStores(), dir: dir, fault: enginetest.Succeed}
		m.j = openOn(t, m.stores, dir)
		defer func() { closeIt(t, m.j) }()
		m.stores.at(lifeFile).Inject(m.inject)
		t.Repeat(map[string]func(*rapid.T){
			"append": m.append, "stale": m.stale, "restart": m.restart, "read": m.read, "": m.last,
		})
		if faults, err := m.j.Verify(context.Background()); err != nil || len(faults) > 0 {
			t.Fatalf("verify: %v %v", faults, err)
		}
	})
}

// chainModel is a chain and the steps that it must hold.
type chainModel struct {
	stores *stores
	dir    string
	j      *Journal
	bodies [][]byte
	fault  enginetest.Fault // of the next write
}

func (m *chainModel) inject(string, uint64) enginetest.Fault {
	f := m.fault
	m.fault = enginetest.Succeed
	return f
}

func (m *chainModel) append(t *rapid.T) {
	group := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 40), 1, 4).Draw(t, "bodies")
	fault := rapid.SampledFrom([]enginetest.Fault{
		enginetest.Succeed, enginetest.FailBefore, enginetest.FailAfter, enginetest.NoSpace,
	}).Draw(t, "fault")
	m.fault = fault
	want := fault == enginetest.Succeed || fault == enginetest.FailAfter
	_, err := m.j.Chain("ledger").Append(context.Background(), uint64(len(m.bodies)), group...)
	if want != (err == nil) {
		t.Fatalf("append with fault %d: %v", fault, err)
	}
	if want {
		m.bodies = append(m.bodies, group...)
	}
}

func (m *chainModel) stale(t *rapid.T) {
	wrong := rapid.Uint64Range(0, 60).Draw(t, "expect")
	if wrong == uint64(len(m.bodies)) {
		return
	}
	if _, err := m.j.Chain("ledger").Append(context.Background(), wrong, []byte("x")); !errors.Is(err, ErrConflict) {
		t.Fatalf("append expecting %d at %d: %v", wrong, len(m.bodies), err)
	}
}

func (m *chainModel) restart(t *rapid.T) {
	closeIt(t, m.j)
	m.j = openOn(t, m.stores, m.dir)
}

func (m *chainModel) read(t *rapid.T) {
	n := rapid.IntRange(1, 1+len(m.bodies)).Draw(t, "from")
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	got, err := m.j.Chain("ledger").Read(context.Background(), uint64(n), limit)
	want := m.bodies[n-1 : min(len(m.bodies), n-1+limit)]
	if err != nil || len(got) != len(want) {
		t.Fatalf("read %d from %d of %d: %d steps, %v", limit, n, len(m.bodies), len(got), err)
	}
	for i := range got {
		if got[i].N != uint64(n+i) || !bytes.Equal(got[i].Body, want[i]) {
			t.Fatalf("step %d: %+v", n+i, got[i])
		}
	}
}

func (m *chainModel) last(t *rapid.T) {
	if n, err := m.j.Chain("ledger").Last(context.Background()); err != nil || n != uint64(len(m.bodies)) {
		t.Fatalf("last is %d, want %d, %v", n, len(m.bodies), err)
	}
}

// A leader that was deposed without knowing must not append.
func TestChainIsAFence(t *testing.T) {
	ctx := context.Background()
	s := newStores()
	a, b := openOn(t, s, t.TempDir()), openOn(t, s, t.TempDir())
	defer closeIt(t, a)
	defer closeIt(t, b)
	if n, err := a.Chain("ledger").Last(ctx); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := b.Chain("ledger").Append(ctx, 0, []byte("new leader")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Chain("ledger").Append(ctx, 0, []byte("old leader")); !errors.Is(err, ErrConflict) {
		t.Errorf("append of the old leader: %v, want ErrConflict", err)
	}
	steps, err := a.Chain("ledger").Read(ctx, 1, 10)
	if err != nil || len(steps) != 1 || string(steps[0].Body) != "new leader" {
		t.Errorf("steps: %+v %v", steps, err)
	}
}

// Someone who rewrites a step with a right checksum and right hashes of its own record is found out by the next record.
func TestTamperedStepIsFound(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(t)
	j := openTest(t, cfg)
	c := j.Chain("ledger")
	var before chainTail
	for n := range uint64(10) {
		steps, err := c.Append(ctx, n, fmt.Append(nil, "step ", n+1))
		if err != nil {
			t.Fatal(err)
		}
		if n == 3 {
			before = chainTail{seq: 4, n: 4, hash: steps[0].Hash}
		}
	}
	_, raw, err := buildGroup(before, [][]byte{[]byte("forged")})
	if err != nil {
		t.Fatal(err)
	}
	forged := sealFrame(raw, header{Magic: chainMagic(), First: 5, Count: 1, Raw: uint32(len(raw) - headerSize)})
	closeIt(t, j)
	alter(t, filepath.Join(cfg.Dir, lifeFile), "UPDATE log_chain_ledger SET body = ? WHERE seq = 5", forged)
	j = openTest(t, cfg)
	steps, err := j.Chain("ledger").Read(ctx, 1, 100)
	if !errors.Is(err, ErrDamaged) || len(steps) > 4 {
		t.Errorf("read: %d steps, %v, want ErrDamaged after at most 4", len(steps), err)
	}
	if _, err := j.Chain("ledger").Read(ctx, 5, 1); !errors.Is(err, ErrDamaged) {
		t.Errorf("reading the forged step alone: %v", err)
	}
	if steps, err := j.Chain("ledger").Read(ctx, 7, 100); err != nil || len(steps) != 4 {
		t.Errorf("reading behind it: %d steps, %v", len(steps), err)
	}
	faults, err := j.Verify(ctx)
	if err != nil || !slices.ContainsFunc(faults, func(f Fault) bool { return f.Log == "chain_ledger" && f.Frame == 6 }) {
		t.Errorf("verify: %v %v", faults, err)
	}
}

func TestChainRefusesWhatNoRecordHolds(t *testing.T) {
	j := openTest(t, testConfig(t))
	if _, err := j.Chain("ledger").Append(context.Background(), 0, make([]byte, maxGroupBytes)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v, want ErrTooLarge", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a chain name with a space is taken")
		}
	}()
	j.Chain("two words")
}

func TestChainWait(t *testing.T) {
	ctx := context.Background()
	c := openTest(t, testConfig(t)).Chain("ledger")
	woken := make(chan error, 1)
	go func() { woken <- c.Wait(ctx, 1) }()
	if _, err := c.Append(ctx, 0, []byte("a")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Append(ctx, 1, []byte("b")); err != nil {
		t.Fatal(err)
	}
	if err := <-woken; err != nil {
		t.Fatal(err)
	}
}
