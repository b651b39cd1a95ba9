package stream

import (
	"slices"
	"sync"

	"watchhouse/alerts"
)

const (
	maxSights  = 10_000 // open incidents whose first sight is watched for
	maxUnsaved = 10_000 // records that wait to be kept
)

// sights remembers who saw which open incident first since the hub began: the page says up to which number it has painted,
// and the incidents raised up to there are seen.
type sights struct {
	mu       sync.Mutex
	raised   []*raised // by number
	open     map[string]*raised
	unsaved  []SeenRecord
	overflow uint64 // records dropped because they could not be kept
}

type raised struct {
	seq      uint64
	incident string
	at       int64 // Unix ms of the commit, 0 for those raised before this process
	over     bool  // closed: not waited for any more
	by       map[string]struct{}
}

func newSights() *sights { return &sights{open: map[string]*raised{}} }

// begin watches the incidents that are open already.
func (s *sights) begin(v *alerts.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range v.Incidents {
		if i.State != alerts.StateClosed && i.State != alerts.StateMerged {
			s.add(v.Seq, i.ID, 0)
		}
	}
}

func (s *sights) dispatched(ts []alerts.Transition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range ts {
		t := &ts[i]
		switch {
		case t.Incident == nil:
		case t.To == alerts.StateClosed || t.To == alerts.StateMerged:
			s.drop(t.Incident.ID)
		case s.open[t.Incident.ID] == nil && t.Kind == "raised":
			s.add(t.N, t.Incident.ID, t.At)
		}
	}
}

func (s *sights) add(seq uint64, incident string, at int64) {
	r := &raised{seq: seq, incident: incident, at: at, by: map[string]struct{}{}}
	s.raised, s.open[incident] = append(s.raised, r), r
	if len(s.raised) <= maxSights {
		return
	}
	s.raised = slices.DeleteFunc(s.raised, func(r *raised) bool { return r.over })
	for len(s.raised) > maxSights {
		delete(s.open, s.raised[0].incident)
		s.raised = s.raised[1:]
	}
}

func (s *sights) drop(incident string) {
	if r := s.open[incident]; r != nil {
		r.over = true
		delete(s.open, incident)
	}
}

// seen notes that actor painted the numbers after to upTo, and returns the delays in ms since the commit of those incidents
// it had not seen before, leaving out what was committed before the console's live stream began.
func (s *sights) seen(actor string, after, upTo uint64, liveFrom uint64, now int64) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, _ := slices.BinarySearchFunc(s.raised, after+1, func(r *raised, seq uint64) int {
		if r.seq < seq {
			return -1
		}
		return 1
	})
	var delays []int64
	for _, r := range s.raised[from:] {
		if r.seq > upTo {
			break
		}
		if _, known := r.by[actor]; known || r.over {
			continue
		}
		r.by[actor] = struct{}{}
		s.keep(SeenRecord{Incident: r.incident, Actor: actor, Seq: r.seq, At: now})
		if r.at > 0 && r.seq > liveFrom {
			delays = append(delays, max(0, now-r.at))
		}
	}
	return delays
}

func (s *sights) keep(r SeenRecord) {
	if len(s.unsaved) >= maxUnsaved {
		s.overflow++
		return
	}
	s.unsaved = append(s.unsaved, r)
}

func (s *sights) take() []SeenRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.unsaved
	s.unsaved = nil
	return out
}

func (s *sights) giveBack(records []SeenRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	later := s.unsaved
	s.unsaved = records
	for _, r := range later {
		s.keep(r)
	}
}
