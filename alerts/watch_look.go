package alerts

import (
	"container/heap"
	"time"

	"watchhouse/journal"
)

// lookEvery is how often a device is judged by the time alone, where a rule depends on it.
const lookEvery = time.Minute

// looksPerBatch bounds how long the readers are held up by the watermark.
const looksPerBatch = 2048

// plannedLook is a device to be judged at a watermark. An entry that is no longer the device's next one is dropped.
type plannedLook struct {
	at     int64 // Unix ms
	device *watched
}

// plan makes sure that a device is looked at no later than at.
func (w *watch) plan(d *watched, at int64) {
	if d.lookAt != 0 && d.lookAt <= at {
		return
	}
	d.lookAt = at
	heap.Push(&w.looks, plannedLook{at, d})
}

// watermark is the receive time up to which everything is in the windows, Unix ms, 0 while a lane has not begun.
func (w *watch) watermark() int64 {
	return min(w.at[journal.TelemetryLane].ns, w.at[journal.EventLane].ns, w.state()) / int64(time.Millisecond)
}

// advance lets time pass: whoever is due is judged. Time is the watermark, so a lane that lags freezes it.
func (w *watch) advance() {
	now := w.watermark()
	if now <= 0 {
		return
	}
	for range looksPerBatch {
		if len(w.looks) == 0 || w.looks[0].at > now {
			return
		}
		l := heap.Pop(&w.looks).(plannedLook)
		if l.device.lookAt == l.at {
			l.device.lookAt = 0
			w.look(l.device, now)
		}
	}
}

// look judges what time alone can change. In the blind time after a start only what is latched may: whatever the others
// would say of the time is said of the hub's own absence.
func (w *watch) look(d *watched, now int64) {
	defer contain(w.log, d.id)
	if d = w.current(d); d == nil {
		return
	}
	blind := now < w.blind.Load()/int64(time.Millisecond)
	w.enter(d, max(d.clock, now-d.lag))
	e := d.latest(now)
	for _, p := range d.spec.parts {
		if (p.timed || d.levels[p.at] != nil) && (p.Latch || !blind) {
			w.judge(d, p, e)
		}
	}
	if d.spec.timed || blind {
		w.plan(d, now+lookEvery.Milliseconds())
	}
}

// mature judges the delays that ran out before a reading: what held until it came has held for so long, whether or not the
// watermark has passed meanwhile. So a lane that is read again after a crash gives the same levels. Rules that depend on the
// time itself wait for the watermark.
func (w *watch) mature(d *watched, at int64) {
	if len(d.levels) == 0 {
		return
	}
	before := d.clock
	for _, p := range d.spec.parts {
		lv := d.levels[p.at]
		if lv == nil || p.timed {
			continue
		}
		if due, ok := lv.due(p); ok && before < due && due <= at {
			w.enter(d, max(d.clock, due))
			w.judge(d, p, evidence{})
		}
	}
}

// lookHeap is ordered by time.
type lookHeap []plannedLook

func (h lookHeap) Len() int           { return len(h) }
func (h lookHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h lookHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push and Pop are for container/heap.
func (h *lookHeap) Push(x any) { *h = append(*h, x.(plannedLook)) }

// Pop takes the last element off.
func (h *lookHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
