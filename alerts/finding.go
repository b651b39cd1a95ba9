package alerts

import "sync"

// finding is a change of level that the watch tells the engine.
type finding struct {
	Rule      string `json:"rule"`
	Device    string `json:"device"`
	Component string `json:"component,omitempty"`
	Up        bool   `json:"up,omitempty"`
	Since     int64  `json:"since"` // Unix ms: when the expression began to hold
	At        int64  `json:"at"`    // Unix ms: receipt of the cause and the rule's delay
	Late      int64  `json:"late,omitempty"`
	Cause     string `json:"cause,omitempty"`
	Text      string `json:"text,omitempty"`
}

// identity tells a finding that was decided on before the engine died from a new one.
func (f finding) identity() string { return conditionKey(f.Rule, f.Component, f.Cause) }

// findings wait for the engine until what they led to is committed. Safe for concurrent use.
type findings struct {
	mu    sync.Mutex
	list  []finding
	taken int
	wake  chan struct{} // capacity 1
}

func (q *findings) add(list ...finding) {
	q.mu.Lock()
	q.list = append(q.list, list...)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take gives up to limit findings that were not taken yet, and whether there are more.
func (q *findings) take(limit int) ([]finding, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list[q.taken:min(q.taken+limit, len(q.list))]
	q.taken += len(list)
	return list, q.taken < len(q.list)
}

// committed forgets what was taken.
func (q *findings) committed() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taken > 0 {
		q.list, q.taken = append([]finding(nil), q.list[q.taken:]...), 0
	}
}

// waiting copies what is not committed.
func (q *findings) waiting() []finding {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]finding(nil), q.list...)
}
