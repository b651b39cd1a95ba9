package alerts

import "container/heap"

// clockQueue finds the clocks that are due. The book says which are armed; an entry here that no longer is one is dropped
// when it comes up.
type clockQueue struct{ heap timerHeap }

func (q *clockQueue) rebuild(b *book) { q.heap = b.openTimers() }

func (q *clockQueue) add(t timer) { heap.Push(&q.heap, t) }

// next is when the first armed clock is due, Unix ms.
func (q *clockQueue) next(b *book) (int64, bool) {
	for len(q.heap) > 0 {
		if armed(b, q.heap[0]) {
			return q.heap[0].DueAt, true
		}
		heap.Pop(&q.heap)
	}
	return 0, false
}

// pop takes the first armed clock that is due at now.
func (q *clockQueue) pop(b *book, now int64) (timer, bool) {
	at, ok := q.next(b)
	if !ok || at > now {
		return timer{}, false
	}
	return heap.Pop(&q.heap).(timer), true
}

func armed(b *book, t timer) bool {
	due, ok := b.timers[timerID{t.Incident, t.Name}]
	return ok && due == t.DueAt
}

// timerHeap orders by due time, incident and name; a sorted list is a heap.
type timerHeap []timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return compareTimers(h[i], h[j]) < 0 }
func (h timerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push and Pop are for container/heap.
func (h *timerHeap) Push(x any) { *h = append(*h, x.(timer)) }

// Pop takes the last element off.
func (h *timerHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
