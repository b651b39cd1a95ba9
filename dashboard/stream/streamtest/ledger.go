package streamtest

import (
	"sync"
	"time"

	"watchhouse/alerts"
	"watchhouse/dashboard/stream"
)

// Ledger implements stream.Source.
type Ledger struct {
	mu        sync.Mutex
	epoch     string
	first     uint64 // number before kept[0]
	kept      []alerts.Transition
	limit     int
	incidents map[string]*alerts.Incident
	order     []string
	subs      map[*subscription]struct{}
	broken    error
}

// New keeps the last limit transitions.
func New(epoch string, limit int) *Ledger {
	return &Ledger{epoch: epoch, limit: limit, incidents: map[string]*alerts.Incident{}, subs: map[*subscription]struct{}{}}
}

// Epoch of the ledger.
func (l *Ledger) Epoch() string { return l.epoch }

// Oldest is the smallest number Subscribe can start after.
func (l *Ledger) Oldest() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first
}

// Head is the last number.
func (l *Ledger) Head() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head()
}

func (l *Ledger) head() uint64 { return l.first + uint64(len(l.kept)) }

// View of all incidents.
func (l *Ledger) View() *alerts.View {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := &alerts.View{Seq: l.head(), Now: time.Now().UnixMilli()}
	for _, id := range l.order {
		v.Incidents = append(v.Incidents, l.incidents[id])
	}
	return v
}

// Incident makes an incident with empty lists.
func Incident(id string, p alerts.Priority, s alerts.State) *alerts.Incident {
	return &alerts.Incident{
		ID: id, Version: 1, Priority: p, Class: "person", State: s, Rule: "EB-SOS", Device: "btn-0001", Person: "p-1",
		Occurrences: 1, Deadlines: []alerts.Deadline{}, Assignments: []alerts.Assignment{}, Badges: []string{}, Causes: []string{},
	}
}

// Raise appends that an incident was raised.
func (l *Ledger) Raise(id string, p alerts.Priority) uint64 {
	i := Incident(id, p, alerts.StateNew)
	i.RaisedAt = time.Now().UnixMilli()
	return l.Append(alerts.Transition{Kind: "raised", Actor: "engine", To: alerts.StateNew, Incident: i})
}

// Append numbers ts, commits them as one group and returns the last number.
func (l *Ledger) Append(ts ...alerts.Transition) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range ts {
		ts[i].N = l.head() + 1
		if ts[i].At == 0 {
			ts[i].At = time.Now().UnixMilli()
		}
		l.keep(ts[i])
	}
	for s := range l.subs {
		s.give(ts)
	}
	return l.head()
}

func (l *Ledger) keep(t alerts.Transition) {
	if i := t.Incident; i != nil {
		if l.incidents[i.ID] == nil {
			l.order = append(l.order, i.ID)
		}
		l.incidents[i.ID] = i
	}
	l.kept = append(l.kept, t)
	if len(l.kept) > l.limit {
		l.kept = l.kept[1:]
		l.first++
	}
}

// Break makes Subscribe fail with err, nil mends it.
func (l *Ledger) Break(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = err
}

// CutAll ends all subscriptions as if their readers had fallen behind.
func (l *Ledger) CutAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.subs {
		s.cut()
	}
}

// Subscriptions is how many are open.
func (l *Ledger) Subscriptions() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.subs)
}

// Subscribe gives the transitions after a number.
func (l *Ledger) Subscribe(after uint64) (stream.Subscription, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return nil, l.broken
	}
	if after < l.first || after > l.head() {
		return nil, alerts.ErrTooOld
	}
	s := &subscription{l: l, out: make(chan []alerts.Transition, 1024)}
	l.subs[s] = struct{}{}
	if past := l.kept[after-l.first:]; len(past) > 0 {
		s.give(append([]alerts.Transition{}, past...))
	}
	return s, nil
}

// subscription is guarded by its ledger.
type subscription struct {
	l      *Ledger
	out    chan []alerts.Transition
	ended  bool
	resync bool
}

func (s *subscription) give(ts []alerts.Transition) {
	select {
	case s.out <- ts:
	default:
		s.cut()
	}
}

func (s *subscription) cut() {
	s.resync = true
	s.end()
}

func (s *subscription) end() {
	if !s.ended {
		s.ended = true
		delete(s.l.subs, s)
		close(s.out)
	}
}

func (s *subscription) C() <-chan []alerts.Transition { return s.out }

func (s *subscription) Resync() bool {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	return s.resync
}

func (s *subscription) Close() {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	s.end()
}
