package stream

import (
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gorilla/websocket"
)

// phase of a console.
type phase int

const (
	greeting phase = iota // hello not yet received
	waiting               // must resume first: gets heartbeats and device states only
	live                  // gets batches
)

// client is one console. Its reader is the caller of Serve, its writer the one goroutine that touches the socket.
type client struct {
	h     *Hub
	conn  *websocket.Conn
	who   Identity
	wake  chan struct{} // something to write
	done  chan struct{} // the writer has ended
	audio atomic.Int32  // index in audioStates, 0 = not said

	mu       sync.Mutex
	phase    phase
	control  []any          // frames to write first: welcome, resync
	replay   *replay        // batches to write before the queue
	stale    []Subscription // of ended replays; closing waits, so the writer does it outside the lock
	queue    []*batch
	queued   int    // transitions in queue
	sent     uint64 // last number written, or known from a snapshot
	liveFrom uint64 // numbers up to here were not seen live by this console
	seenTo   uint64
	shared   []*deviceFrame // nothing older waits: shared with others
	devices  map[string]json.RawMessage
	closing  bool
	code     int
	reason   string
}

// replay is a run of old transitions read from the engine at the console's own pace.
type replay struct {
	sub  Subscription
	upTo uint64 // the queue goes on after it
}

func newClient(h *Hub, conn *websocket.Conn, who Identity) *client {
	return &client{
		h: h, conn: conn, who: who, wake: make(chan struct{}, 1), done: make(chan struct{}),
		devices: map[string]json.RawMessage{},
	}
}

func (c *client) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// offer queues a batch; the caller holds Hub.mu, so batches come in order and none is missed between attach and here.
func (c *client) offer(b *batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != live || b.last <= c.startAfter() {
		return
	}
	if c.queued+b.size() > maxQueued {
		c.h.metrics.resyncs.Inc()
		c.cutLocked(false)
		return
	}
	c.queue = append(c.queue, b)
	c.queued += b.size()
	c.nudge()
}

// startAfter is the number the next queued batch must go on from.
func (c *client) startAfter() uint64 {
	switch {
	case len(c.queue) > 0:
		return c.queue[len(c.queue)-1].last
	case c.replay != nil:
		return c.replay.upTo
	}
	return c.sent
}

// cut drops what waits and asks for a resume, or for a snapshot first.
func (c *client) cut(snapshot bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != greeting {
		c.cutLocked(snapshot)
	}
}

func (c *client) cutLocked(snapshot bool) {
	c.dropReplay()
	c.queue, c.queued, c.phase = nil, 0, waiting
	for i, f := range c.control {
		if r, ok := f.(ResyncFrame); ok {
			r.Snapshot = r.Snapshot || snapshot
			c.control[i] = r
			c.nudge()
			return
		}
	}
	c.control = append(c.control, ResyncFrame{T: "resync", Snapshot: snapshot})
	c.nudge()
}

func (c *client) dropReplay() {
	if c.replay != nil {
		c.stale = append(c.stale, c.replay.sub)
		c.replay = nil
		c.nudge()
	}
}

// offerDevices queues device states: shared frames if none wait, else the newest state by device.
func (c *client) offerDevices(frames []*deviceFrame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == greeting {
		return
	}
	if len(c.shared) == 0 && len(c.devices) == 0 {
		c.shared = frames
		c.nudge()
		return
	}
	for _, f := range append(slices.Clip(c.shared), frames...) {
		for _, u := range f.updates {
			c.devices[u.ID] = u.JSON
		}
	}
	c.shared = nil
	c.nudge()
}

// end makes the writer say code and close.
func (c *client) end(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	c.closing, c.code, c.reason = true, code, reason
	c.dropReplay()
	c.nudge()
}

func (c *client) closeStale() {
	c.mu.Lock()
	stale := c.stale
	c.stale = nil
	c.mu.Unlock()
	for _, sub := range stale {
		sub.Close()
	}
}
