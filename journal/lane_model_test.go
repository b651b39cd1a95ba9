package journal

import (
	"context"
	"errors"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"watchhouse/journal/engine/enginetest"
)

// outcome of one message as its callback told it.
type outcome struct {
	receipt Receipt
	err     error
	calls   int
}

// The lane against a model: whatever the disk does, every callback comes exactly once and in order, what was acknowledged is
// stored where the receipt says, nothing is stored twice, numbers run on without holes, and order is kept.
func TestLaneModel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		m := &laneModel{t: t, stores: newStores(), dir: dir}
		m.open()
		defer func() { closeIt(t, m.j) }()
		t.Repeat(map[string]func(*rapid.T){
			"submit": m.submit, "disk": m.disk, "restart": m.restart, "cursor": m.cursor, "read": m.read, "settle": m.settle,
		})
		m.settle(t)
		m.check(t)
	})
}

type laneModel struct {
	t        *rapid.T
	stores   *stores
	dir      string
	j        *Journal
	mu       sync.Mutex
	sent     []Message
	outcomes []outcome
	order    []int // of callbacks
	faults   []enginetest.Fault
	cursors  map[string]Position
}

func (m *laneModel) open() {
	m.j = openOn(m.t, m.stores, m.dir)
	m.stores.at(lifeFile).Inject(func(string, uint64) enginetest.Fault {
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.faults) == 0 {
			return enginetest.Succeed
		}
		f := m.faults[0]
		m.faults = m.faults[1:]
		return f
	})
}

func (m *laneModel) lane() *Lane { return m.j.Lane(EventLane) }

// submit sends a few messages, numbered by their connection field so that each can be told.
func (m *laneModel) submit(t *rapid.T) {
	for range rapid.IntRange(1, 8).Draw(t, "messages") {
		msg := message(t)
		m.mu.Lock()
		i := len(m.sent)
		msg.Conn = uint64(i)
		m.sent = append(m.sent, msg)
		m.outcomes = append(m.outcomes, outcome{})
		m.mu.Unlock()
		err := m.lane().Submit(msg, func(r Receipt, err error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.outcomes[i] = outcome{r, err, m.outcomes[i].calls + 1}
			m.order = append(m.order, i)
		})
		if err != nil {
			m.mu.Lock()
			m.outcomes[i] = outcome{err: err, calls: -1}
			m.mu.Unlock()
			if !errors.Is(err, ErrUnavailable) {
				t.Fatalf("submit: %v", err)
			}
		}
	}
}

func (m *laneModel) disk(t *rapid.T) {
	faults := rapid.SliceOfN(rapid.SampledFrom([]enginetest.Fault{
		enginetest.FailBefore, enginetest.FailAfter, enginetest.NoSpace, enginetest.Succeed,
	}), 1, 2).Draw(t, "faults")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = faults
}

func (m *laneModel) settle(t *rapid.T) {
	eventually(t, "every callback", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, o := range m.outcomes {
			if o.calls == 0 {
				return false
			}
		}
		return true
	})
	eventually(t, "an idle committer", func() bool {
		l := m.lane()
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.idle && l.standing == nil
	})
}

func (m *laneModel) restart(t *rapid.T) {
	closeIt(t, m.j)
	m.mu.Lock()
	m.faults = nil
	m.mu.Unlock()
	m.open()
	for n, p := range m.cursors {
		if got, err := m.lane().Cursor(context.Background(), n); err != nil || got != p {
			t.Fatalf("cursor %s after a restart: %s, want %s, %v", n, got, p, err)
		}
	}
	m.check(t)
}

func (m *laneModel) cursor(t *rapid.T) {
	es := readAll(t, m.lane(), 1000)
	if len(es) == 0 {
		return
	}
	n := rapid.SampledFrom([]string{"alerts", "ingest"}).Draw(t, "cursor")
	p := rapid.SampledFrom(es).Draw(t, "entry").Next
	if err := m.lane().SetCursor(context.Background(), n, p); err != nil {
		t.Fatalf("set cursor: %v", err)
	}
	if m.cursors == nil {
		m.cursors = map[string]Position{}
	}
	if p.Compare(m.cursors[n]) > 0 {
		m.cursors[n] = p
	}
	if got, _ := m.lane().Cursor(context.Background(), n); got != m.cursors[n] {
		t.Fatalf("cursor %s at %s, want %s", n, got, m.cursors[n])
	}
}

// read compares reading in small steps, and from any entry, with reading all.
func (m *laneModel) read(t *rapid.T) {
	all := readAll(t, m.lane(), 1000)
	few := readAll(t, m.lane(), rapid.IntRange(1, 5).Draw(t, "limit"))
	if len(few) < len(all) {
		t.Fatalf("%d entries in small steps, %d at once", len(few), len(all))
	}
	if len(all) == 0 {
		return
	}
	i := rapid.IntRange(0, len(all)-1).Draw(t, "from")
	es, _, err := m.lane().Read(context.Background(), all[i].Pos, 1)
	if err != nil || len(es) != 1 || es[0].ID != all[i].ID {
		t.Fatalf("read from %s: %v %v", all[i].Pos, es, err)
	}
	if d := m.lane().Depth(all[i].Next); d < uint64(len(all)-1-i) {
		t.Fatalf("depth %d at entry %d of %d", d, i+1, len(all))
	}
	if p, err := m.lane().Locate(context.Background(), all[i].ID); err != nil || p != all[i].Pos {
		t.Fatalf("locate %d: %s, want %s, %v", all[i].ID, p, all[i].Pos, err)
	}
}

func (m *laneModel) check(t *rapid.T) {
	es := readAll(t, m.lane(), 7)
	m.mu.Lock()
	defer m.mu.Unlock()
	at := map[int]Entry{}
	last := -1
	for i, e := range es {
		n := int(e.Conn)
		if e.ID != uint64(i+1) {
			t.Fatalf("entry %d has number %d", i+1, e.ID)
		}
		if n <= last {
			t.Fatalf("message %d stored after message %d: doubled or out of order", n, last)
		}
		if !sameMessage(e.Message, m.sent[n]) || m.outcomes[n].calls == -1 {
			t.Fatalf("message %d is not what was accepted", n)
		}
		last, at[n] = n, e
	}
	for n, o := range m.outcomes {
		if o.calls > 1 {
			t.Fatalf("message %d got %d callbacks", n, o.calls)
		}
		e, stored := at[n]
		if o.calls == 1 && o.err == nil && (!stored || o.receipt != Receipt{ID: e.ID, Pos: e.Pos}) {
			t.Fatalf("message %d acknowledged as %+v, stored %t as %+v", n, o.receipt, stored, e.Pos)
		}
	}
	for i := 1; i < len(m.order); i++ {
		if m.order[i] < m.order[i-1] {
			t.Fatalf("callbacks out of order: %d after %d", m.order[i], m.order[i-1])
		}
	}
}
