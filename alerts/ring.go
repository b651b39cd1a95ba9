package alerts

import "sync"

// ringSize is how many transitions a subscriber may be behind before it must take a snapshot; the same number is kept in
// memory once it has been produced or read.
const ringSize = 50_000

// ring holds the latest committed transitions and wakes who waits for more. Safe for concurrent use.
type ring struct {
	mu     sync.Mutex
	buf    []Transition // a circle once full
	next   int          // where the next goes when full
	head   uint64       // number of the last transition committed
	floor  uint64       // the smallest number a subscription may start after
	more   chan struct{}
	closed bool
}

func newRing(head uint64) *ring {
	r := &ring{head: head, more: make(chan struct{})}
	r.floor = head - min(head, ringSize)
	return r
}

// add appends committed transitions, numbered on from head.
func (r *ring) add(list []Transition) {
	if len(list) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range list {
		if len(r.buf) < ringSize {
			r.buf = append(r.buf, t)
			continue
		}
		r.buf[r.next] = t
		r.next = (r.next + 1) % ringSize
	}
	r.head = list[len(list)-1].N
	r.floor = max(r.floor, r.head-min(r.head, ringSize))
	r.wake()
}

func (r *ring) wake() {
	close(r.more)
	r.more = make(chan struct{})
}

// close ends the stream: every reader gets what is there and then its end.
func (r *ring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.wake()
	}
}

// after gives up to limit transitions after a number. inMemory is false when they must come from the ledger; more is closed
// when there is something new, and ended tells that nothing will be.
func (r *ring) after(n uint64, limit int) (list []Transition, inMemory bool, more <-chan struct{}, ended bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n >= r.head {
		return nil, true, r.more, r.closed
	}
	oldest := r.head - uint64(len(r.buf)) // the number before the first one held
	if n < oldest {
		return nil, false, r.more, r.closed
	}
	start := int(n - oldest)
	count := min(limit, len(r.buf)-start)
	list = make([]Transition, count)
	for i := range list {
		list[i] = r.buf[(r.next+start+i)%len(r.buf)]
	}
	return list, true, r.more, r.closed
}

func (r *ring) bounds() (floor, head uint64, more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.floor, r.head, r.more
}
