package ingest

import (
	"sync"
	"time"
)

// Stats for /metrics and readiness chips. Counters count from the start of the process; a repeat after a crash counts again.
type Stats struct {
	Written       uint64        // points the server has confirmed
	Undecodable   uint64        // messages with a part that could not be decoded
	Refused       uint64        // points, or single fields of points, that the server refused
	DroppedFields uint64        // numbers left out of points: name, value or too many
	Retries       uint64        // requests repeated
	Gaps          uint64        // breaks of the lane that were passed over
	LagMessages   uint64        // in the lanes, not yet confirmed
	Lag           time.Duration // since the last confirmed one was received; an idle lane has one a second
	LastError     string        // why the last request was not accepted; "" when it was
	Hint          string        // what can be done about it, "" when that is not known
	Up            bool          // the database answered the last request
}

// Stats now.
func (i *Ingest) Stats() Stats {
	s := i.stats.read()
	if i.db == nil {
		return s
	}
	now := time.Now()
	for _, source := range i.sources {
		messages, behind := source.lag(now)
		s.LagMessages += messages
		s.Lag = max(s.Lag, behind)
	}
	return s
}

// meter holds the counters.
type meter struct {
	mu      sync.Mutex
	s       Stats
	known   bool   // Up has a meaning
	told    string // the last hint that was news since it was up
	contact time.Time
}

func (m *meter) read() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.s
}

func (m *meter) count(f func(*Stats)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.s)
}

// up notes an accepted request and says whether that is news.
func (m *meter) up() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	news := !m.known || !m.s.Up
	m.known, m.s.Up, m.s.LastError, m.s.Hint, m.contact = true, true, "", "", time.Now()
	return news
}

// down notes a failed request and says whether that is news.
func (m *meter) down(reason, hint string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	news := !m.known || m.s.Up || hint != "" && hint != m.told
	if hint != "" || m.s.Up {
		m.told = hint
	}
	m.known, m.s.Up, m.s.LastError, m.s.Hint, m.contact = true, false, reason, hint, time.Now()
	return news
}

// quietFor reports whether the database was not spoken to for d.
func (m *meter) quietFor(d time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Since(m.contact) >= d
}
