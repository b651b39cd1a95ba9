package broker

import "sync"

// inbound2 remembers the QoS 2 messages of a session between PUBLISH and PUBREL, so that a repeated PUBLISH is answered and not
// journaled again. It outlives a connection when the session does. Safe for concurrent use; a nil one is empty.
type inbound2 struct {
	mu  sync.Mutex
	ids map[uint16]bool // true = committed
	c   *conn           // the session's present connection: it gets the PUBREC
}

// begin notes a PUBLISH. known: it has come before; done: and is committed, so PUBREC may be sent again.
func (q *inbound2) begin(id uint16) (known, done bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	done, known = q.ids[id]
	if !known {
		q.ids[id] = false
	}
	return known, done
}

// commit notes that the message of id is on disk and gives the connection to answer, nil when the id was forgotten meanwhile.
func (q *inbound2) commit(id uint16) *conn {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, known := q.ids[id]; !known {
		return nil
	}
	q.ids[id] = true
	return q.c
}

// forget drops an id: released by PUBREL, or its message was not stored. It reports whether there was one.
func (q *inbound2) forget(id uint16) bool {
	if q == nil {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	_, known := q.ids[id]
	delete(q.ids, id)
	return known
}

// open is how many exchanges have not ended, and whether that of id is among them.
func (q *inbound2) open(id uint16) (n int, known bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, known = q.ids[id]
	return len(q.ids), known
}

func (q *inbound2) empty() bool {
	if q == nil {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ids) == 0
}
