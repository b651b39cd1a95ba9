package sqlite

import (
	"context"

	"watchhouse/journal/engine"
)

// op is one change waiting for the writer.
type op struct {
	priority engine.Priority
	size     int                             // of its bodies, for bounding a group
	alone    bool                            // runs outside a transaction, with the writer halted
	run      func(ctx context.Context) error // an engine.ErrConflict fails this op only, anything else the transaction
	settle   func(committed bool)            // called by the writer after the outcome, before done
	done     chan error                      // capacity 1
	taken    bool                            // by the writer; guarded by DB.mu
}

// queue holds what waits, by priority. Guarded by DB.mu.
type queue struct {
	waiting [engine.Background + 1][]*op
	passed  int // groups that went before the first of the background
}

// maxPassed is how many groups go before a background op: a lane under a flood must be purged, too.
const maxPassed = 8

func (q *queue) push(o *op) { q.waiting[o.priority] = append(q.waiting[o.priority], o) }

// remove takes back an op that the writer has not taken.
func (q *queue) remove(o *op) {
	w := q.waiting[o.priority]
	for i := range w {
		if w[i] == o {
			q.waiting[o.priority] = append(w[:i], w[i+1:]...)
			return
		}
	}
}

// take gives the next group: everything urgent, then normal ops up to maxBytes, else, or after maxPassed such groups, one
// background op.
func (q *queue) take(maxBytes int) []*op {
	if q.passed++; len(q.waiting[engine.Background]) == 0 {
		q.passed = 0
	}
	var group []*op
	if q.passed <= maxPassed {
		group = q.takeFront(maxBytes)
	}
	if bg := q.waiting[engine.Background]; len(group) == 0 && len(bg) > 0 {
		group = append(group, bg[0])
		q.waiting[engine.Background] = append(bg[:0], bg[1:]...)
		q.passed = 0
	}
	for _, o := range group {
		o.taken = true
	}
	return group
}

// takeFront takes what is not of the background.
func (q *queue) takeFront(maxBytes int) (group []*op) {
	size := 0
	for p := engine.Urgent; p <= engine.Normal; p++ {
		w := q.waiting[p]
		n := 0
		for n < len(w) && (p == engine.Urgent || len(group) == 0 || size+w[n].size <= maxBytes) {
			size += w[n].size
			group = append(group, w[n])
			n++
		}
		q.waiting[p] = append(w[:0], w[n:]...)
		clear(w[len(w)-n:])
	}
	return group
}
