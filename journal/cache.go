package journal

import "sync"

// Bounds of a lane's cache: readers at the head are served from it without touching the disk.
const (
	cacheFrames = 64
	cacheBytes  = 4 << 20
)

// laneFrame is a checked frame. Its entries are decoded once, by the first reader, and shared.
type laneFrame struct {
	header
	seq  uint64
	body []byte

	once    sync.Once
	entries []Entry
	err     error
}

func (f *laneFrame) decode() ([]Entry, error) {
	f.once.Do(func() { f.entries, f.err = decodeEntries(f.body, f.First, f.seq, f.Count) })
	return f.entries, f.err
}

// frameCache keeps the frames read or written last. Safe for concurrent use.
type frameCache struct {
	mu     sync.Mutex
	frames map[uint64]*laneFrame
	order  []uint64 // oldest first
	bytes  int
}

func (c *frameCache) get(seq uint64) *laneFrame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frames[seq]
}

func (c *frameCache) put(f *laneFrame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frames == nil {
		c.frames = map[uint64]*laneFrame{}
	}
	if _, ok := c.frames[f.seq]; ok {
		return
	}
	c.frames[f.seq] = f
	c.order = append(c.order, f.seq)
	c.bytes += len(f.body)
	for len(c.order) > 1 && (len(c.order) > cacheFrames || c.bytes > cacheBytes) {
		c.bytes -= len(c.frames[c.order[0]].body)
		delete(c.frames, c.order[0])
		c.order = append(c.order[:0], c.order[1:]...)
	}
}
