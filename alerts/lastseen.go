package alerts

import (
	"hash/maphash"
	"sync"
	"time"
)

// shards keep the telemetry reader from meeting the engine on one lock.
const shards = 64

// lastSeen remembers when each device was last heard. It is a cache: it can be rebuilt from the lanes. Safe for concurrent use.
type lastSeen struct {
	world func() world // tells whose a bridge's topic is
	seed  maphash.Seed
	parts [shards]struct {
		mu sync.Mutex
		m  map[string]heard
	}
}

// heard is one device's streak of messages. Times are receive times in Unix ns.
type heard struct {
	Last  int64 `json:"last"`
	First int64 `json:"first"` // of the streak; 0 = not one message yet, Last is when supervision began
	Beats int   `json:"beats"` // messages in the streak
	Gap   int64 `json:"gap"`   // silence that ends a streak, ns, 0 = none does

	Up   []uint64 `json:"up,omitempty"`   // of a bridge: its connections; never changed in place
	Down int64    `json:"down,omitempty"` // of a bridge: when what stands behind the connection said that it is gone, 0 = it is there
}

func (h heard) connected() bool { return len(h.Up) > 0 && h.Down == 0 }

func newLastSeen(world func() world) *lastSeen {
	l := &lastSeen{world: world, seed: maphash.MakeSeed()}
	for i := range l.parts {
		l.parts[i].m = map[string]heard{}
	}
	return l
}

func (l *lastSeen) with(device string, do func(m map[string]heard)) {
	p := &l.parts[maphash.String(l.seed, device)%shards]
	p.mu.Lock()
	defer p.mu.Unlock()
	do(p.m)
}

// touch counts a message. An older one than the last changes nothing: lanes are read at different speeds.
func (l *lastSeen) touch(device string, ns int64) {
	l.with(device, func(m map[string]heard) {
		h := m[device]
		if ns <= h.Last && h.Beats > 0 {
			return
		}
		if h.Beats == 0 || (h.Gap > 0 && ns-h.Last > h.Gap) {
			h.First, h.Beats = ns, 0
		}
		h.Last = max(h.Last, ns)
		h.Beats++
		m[device] = h
	})
}

// supervise sets the silence that ends a streak and begins to watch a device never heard as of ns.
func (l *lastSeen) supervise(device string, gap time.Duration, ns int64) (h heard) {
	l.with(device, func(m map[string]heard) {
		h = m[device]
		if h.Last == 0 {
			h.Last = ns
		}
		h.Gap = int64(gap)
		m[device] = h
	})
	return h
}

func (l *lastSeen) get(device string) (h heard, ok bool) {
	l.with(device, func(m map[string]heard) { h, ok = m[device] })
	return h, ok
}

// prune forgets the devices that are not registered and copies the rest.
func (l *lastSeen) prune(registered func(string) bool) map[string]heard {
	kept := map[string]heard{}
	for i := range l.parts {
		p := &l.parts[i]
		p.mu.Lock()
		for device, h := range p.m {
			if registered(device) {
				kept[device] = h
			} else {
				delete(p.m, device)
			}
		}
		p.mu.Unlock()
	}
	return kept
}

func (l *lastSeen) restore(all map[string]heard) {
	for device, h := range all {
		l.with(device, func(m map[string]heard) { m[device] = h })
	}
}
