package broker

import (
	"slices"
	"sync"
)

// table knows every connection: all of them for shutdown, those signed in by client id and by principal.
type table struct {
	mu     sync.RWMutex
	all    map[*conn]struct{}
	byID   map[string]*conn
	byName map[string][]*conn // principal id
	shut   bool
}

func newTable() *table {
	return &table{all: map[*conn]struct{}{}, byID: map[string]*conn{}, byName: map[string][]*conn{}}
}

// add takes a new connection, unless there are limit already or the broker stops.
func (t *table) add(c *conn, limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shut || len(t.all) >= limit {
		return false
	}
	t.all[c] = struct{}{}
	return true
}

// claim enters a connection under its client id, or gives the one that has it.
func (t *table) claim(c *conn) (holder *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.byID[c.client]; old != nil {
		return old
	}
	t.byID[c.client] = c
	t.byName[c.who.ID] = append(t.byName[c.who.ID], c)
	return nil
}

// remove forgets a connection and reports whether it was signed in.
func (t *table) remove(c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, c)
	if t.byID[c.client] != c {
		return false
	}
	delete(t.byID, c.client)
	rest := slices.DeleteFunc(t.byName[c.who.ID], func(o *conn) bool { return o == c })
	if t.byName[c.who.ID] = rest; len(rest) == 0 {
		delete(t.byName, c.who.ID)
	}
	return true
}

func (t *table) client(id string) *conn {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byID[id]
}

func (t *table) principal(id string) []*conn {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.byName[id])
}

// commandConns are the connections that get a principal's commands.
func (t *table) commandConns(id string) []*conn {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if c := t.byID[id]; c != nil && c.who.ID == id {
		return []*conn{c}
	}
	return slices.Clone(t.byName[id])
}

// everyone lists all connections; with shut no further one is taken.
func (t *table) everyone(shut bool) []*conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shut = t.shut || shut
	list := make([]*conn, 0, len(t.all))
	for c := range t.all {
		list = append(list, c)
	}
	return list
}

// names lists the principals that have connections.
func (t *table) names() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := make([]string, 0, len(t.byName))
	for id := range t.byName {
		list = append(list, id)
	}
	return list
}
