package stream

import (
	"math"
	"time"

	"watchhouse/alerts"
)

// urgent reports whether one of ts may not wait: life, or a lost protection.
func urgent(ts []alerts.Transition) bool {
	for i := range ts {
		if ts[i].Incident != nil && ts[i].Incident.Priority <= 2 {
			return true
		}
	}
	return false
}

// dispatch gives ts to every console.
func (h *Hub) dispatch(ts []alerts.Transition) {
	for len(ts) > 0 {
		n := min(len(ts), maxBatch)
		h.dispatchBatch(ts[:n])
		ts = ts[n:]
	}
}

func (h *Hub) dispatchBatch(ts []alerts.Transition) {
	h.mu.Lock()
	ts = between(ts, h.head, math.MaxUint64)
	h.mu.Unlock()
	if len(ts) == 0 {
		return
	}
	now := time.Now()
	b, err := newBatch(h.d.Source.Epoch(), ts, now, false)
	if err != nil {
		h.log.Error("transitions can not be shown", "error", err)
		h.jump(ts[len(ts)-1].N)
		return
	}
	h.sights.dispatched(ts)
	h.mu.Lock()
	defer h.mu.Unlock()
	whole := b.first == h.head+1 && b.last-b.first+1 == uint64(len(ts))
	h.head = b.last
	if !whole {
		h.log.Error("transitions are not contiguous", "first", b.first, "last", b.last, "count", len(ts))
	}
	for c := range h.clients {
		if whole {
			c.offer(b)
		} else {
			c.cut(false)
		}
	}
}

// Devices gives changed device states to every console. It never blocks on one.
func (h *Hub) Devices(updates []Update) {
	if len(updates) == 0 {
		return
	}
	var frames []*deviceFrame
	for len(updates) > 0 {
		n := min(len(updates), maxDevices)
		f, err := newDeviceFrame(updates[:n:n], time.Now())
		if err != nil {
			h.log.Error("device states can not be shown", "error", err)
			return
		}
		frames = append(frames, f)
		updates = updates[n:]
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients {
		c.offerDevices(frames)
	}
}

// Resnapshot makes every console take a snapshot: a device was removed, which no frame can say.
func (h *Hub) Resnapshot() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients {
		c.cut(true)
	}
}

// jump goes on from seq without what lies before it.
func (h *Hub) jump(seq uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.head = seq
	for c := range h.clients {
		c.cut(true)
	}
}
