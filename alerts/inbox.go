package alerts

import (
	"context"
	"sync"
	"time"

	"watchhouse/journal"
)

const (
	// inboxBytes bounds what is read of the event lane and not decided. A repeat takes some 70 bytes: a million and more fit.
	inboxBytes = 96 << 20
	// turnRecords, turnItems and turnBytes bound what one device has decided while others wait: some milliseconds.
	turnRecords = 1024
	turnItems   = 256
	turnBytes   = 256 << 10
	// roundTurns and roundRecords bound a round.
	roundTurns   = 128
	roundRecords = 4096
)

// inbox holds what has been read of the event lane and is not decided, a queue for each device, in the order of the lane. Who
// had nothing waiting is served first, with one message; then everybody in turn. Repeats that follow each other are held as one
// item. It belongs to the lane's reader and to the engine.
type inbox struct {
	limit int
	wake  chan struct{} // capacity 1: there is something to decide

	mu      sync.Mutex
	queues  map[string]*queue
	fresh   []*queue // had nothing waiting, in the order of arrival
	turns   []*queue // the others, in turn
	order   []*item  // as in the lane, by their first message; what is decided is dropped when it comes first
	floor   place    // up to where it was decided before the start
	read    place    // up to where the lane has been read
	untold  numbers  // decided beyond the mark, and in no step yet
	waiting int      // messages
	bytes   int
	room    chan struct{} // closed when there is room again, nil when nobody waits
	lag     inboxLag
}

// place is where reading goes on, the receive time before it and the number of the message there, 0 = not known.
type place struct {
	pos journal.Position
	ns  int64
	n   uint64
}

func (p place) cursor() cursor { return cursor{Pos: p.pos.String(), NS: p.ns, N: p.n} }

// advance moves on and never back.
func (p *place) advance(pos journal.Position, ns int64, n uint64) {
	if pos.Compare(p.pos) > 0 {
		p.pos = pos
	}
	p.ns, p.n = max(p.ns, ns), max(p.n, n)
}

// after gives the later of two places.
func (p place) after(q place) place {
	p.advance(q.pos, q.ns, q.n)
	return p
}

// item is a message, a run of repeats of it, or a hole.
type item struct {
	entry journal.Entry // the first; it owns its memory
	as    likeness
	reps  []arrival // the messages, the first too; one unless they are alike
	gap   *journal.GapError
	at    place // of the first message
	done  bool
}

// arrival is what tells the messages of a run apart.
type arrival struct {
	id         uint64
	receivedNS int64
	ts         int64 // Unix ms, where timed
	timed      bool
	identity   string   // of the message, "" = none
	also       []string // further ones
}

// queue is what waits of one device.
type queue struct {
	key   string
	items []*item
}

// turn is what a device has decided in one step.
type turn []share

// share is messages of one item.
type share struct {
	*item
	reps []arrival
}

const (
	itemSize    = 512 // of an item beside what its entry holds
	arrivalSize = 80
)

func (r *arrival) size() int { return arrivalSize + len(r.identity) + 64*len(r.also) }

func newInbox(limit int) *inbox {
	return &inbox{limit: limit, wake: make(chan struct{}, 1), queues: map[string]*queue{}}
}

// begin sets from where the lane is read, and from where it is decided.
func (b *inbox) begin(read, floor place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read, b.floor = read, floor
}

// put takes in what was read, up to a place, and waits while there is no room. False when ctx has ended.
func (b *inbox) put(ctx context.Context, list []sorted, read place, now time.Time) bool {
	for _, s := range list {
		if room := b.add(s, now); room != nil {
			b.signal()
			select {
			case <-room:
			case <-ctx.Done():
				return false
			}
		}
	}
	b.mu.Lock()
	b.read.advance(read.pos, read.ns, read.n)
	b.lag.late, b.lag.begun = now.Sub(time.Unix(0, read.ns)), true
	b.mu.Unlock()
	b.signal()
	return true
}

func (b *inbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// add queues one message and gives a channel to wait on when that filled the inbox.
func (b *inbox) add(s sorted, now time.Time) (room <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read.advance(s.at.pos, s.at.ns, s.at.n)
	if s.nothing {
		return nil
	}
	q := b.queues[s.key]
	if q == nil {
		q = &queue{key: s.key}
		b.queues[s.key] = q
		b.fresh = append(b.fresh, q)
	}
	if last := len(q.items) - 1; last >= 0 && s.as.foldable && q.items[last].as == s.as {
		q.items[last].reps = append(q.items[last].reps, s.rep)
	} else {
		it := s.item()
		q.items, b.order = append(q.items, it), append(b.order, it)
		b.bytes += it.size()
	}
	b.waiting++
	if b.bytes += s.rep.size(); b.bytes <= b.limit {
		return nil
	}
	b.room, b.lag.full = make(chan struct{}), now
	return b.room
}

func (it *item) size() int { return itemSize + len(it.entry.Payload) + 2*len(it.entry.Topic) }

// take gives what is to be decided next. It counts as decided from now on: the steps that come of it are committed together.
func (b *inbox) take(now time.Time) []turn {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []turn
	records := 0
	for ; len(b.fresh) > 0 && len(list) < roundTurns; records++ {
		q := b.fresh[0]
		b.fresh[0], b.fresh = nil, b.fresh[1:]
		list = append(list, b.serve(q, 1))
	}
	for ; len(b.turns) > 0 && len(list) < roundTurns && records < roundRecords; records += list[len(list)-1].records() {
		q := b.turns[0]
		b.turns[0], b.turns = nil, b.turns[1:]
		list = append(list, b.serve(q, turnRecords))
	}
	if len(list) > 0 {
		b.lag.pending = now
	}
	if b.room != nil && b.bytes <= b.limit*3/4 {
		close(b.room)
		b.room, b.lag.full = nil, time.Time{}
	}
	return list
}

// serve takes up to limit messages from a queue; what is left of it waits for its turn.
func (b *inbox) serve(q *queue, limit int) (t turn) {
	bytes := 0
	for len(q.items) > 0 && limit > 0 && len(t) < turnItems && bytes < turnBytes {
		it := q.items[0]
		n := min(limit, len(it.reps))
		t = append(t, share{it, it.reps[:n]})
		limit, bytes = limit-n, bytes+it.size()
		for i := range it.reps[:n] {
			b.bytes -= it.reps[i].size()
			b.untold.add(it.reps[i].id)
		}
		b.waiting -= n
		if it.reps = it.reps[n:]; len(it.reps) == 0 {
			it.done = true
			b.bytes -= it.size()
			q.items[0], q.items = nil, q.items[1:]
		}
	}
	if len(q.items) == 0 {
		delete(b.queues, q.key)
	} else {
		b.turns = append(b.turns, q)
	}
	return t
}

func (t turn) records() (n int) {
	for _, p := range t {
		n += len(p.reps)
	}
	return n
}

// left reports whether anything waits.
func (b *inbox) left() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queues) > 0
}

// mark is the place up to which everything is decided. It never lies before the one of the start.
func (b *inbox) mark() place {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.low().after(b.floor)
}

// done is the place up to which everything has been read since the start and is decided.
func (b *inbox) done() place {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.low()
}

func (b *inbox) low() place {
	for len(b.order) > 0 && b.order[0].done {
		b.order[0] = nil
		b.order = b.order[1:]
	}
	if len(b.order) == 0 {
		return b.read
	}
	return b.order[0].at
}

// tell gives the mark and what has been decided beyond it and was not told before.
func (b *inbox) tell() (place, *numbers) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.low().after(b.floor)
	told := b.untold
	told.prune(at.n)
	b.untold = numbers{low: at.n}
	if told.empty() {
		return at, nil
	}
	return at, &told
}
