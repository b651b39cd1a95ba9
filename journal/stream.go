package journal

import (
	"context"
	"errors"
	"sync/atomic"
)

func streamNames() []string { return []string{"rejects", "deadletter"} }

func streamLane(name string) LaneName { return LaneName("side_" + name) }

// Stream is a bounded side log in bulk.db (rejects, dead letters): records of JSON, listable, never acknowledged upon.
// It is kept by age and size, as a lane without readers.
type Stream struct {
	lane    *Lane
	dropped atomic.Uint64
}

// Record of a Stream.
type Record struct {
	N    uint64
	AtNS int64
	Body []byte
}

// Add is AddFrom for a record that is nobody's.
func (s *Stream) Add(atNS int64, body []byte) { s.AddFrom("", atNS, body) }

// AddFrom queues a record about a sender without blocking; it is dropped and counted when bulk is out of order, full or too slow,
// or when that sender's records hold their share of the stream.
func (s *Stream) AddFrom(sender string, atNS int64, body []byte) {
	err := s.lane.Submit(Message{Kind: Publish, ReceivedNS: atNS, Device: sender, Payload: body}, func(_ Receipt, err error) {
		if err != nil {
			s.dropped.Add(1)
		}
	})
	if err != nil {
		s.dropped.Add(1)
	}
}

// Dropped counts what was not stored, or not surely, since the journal was opened.
func (s *Stream) Dropped() uint64 { return s.dropped.Load() }

// Last is the number of the newest record, 0 when there is none.
func (s *Stream) Last() uint64 {
	s.lane.mu.Lock()
	defer s.lane.mu.Unlock()
	return s.lane.nextID - 1
}

// List returns up to limit records from n on. Records lost to damage are left out.
func (s *Stream) List(ctx context.Context, n uint64, limit int) ([]Record, error) {
	if s.lane.log == nil {
		return nil, s.lane.file.unavailable()
	}
	pos, err := s.lane.Locate(ctx, n)
	if err != nil {
		return nil, err
	}
	out := []Record{}
	for len(out) < limit {
		entries, next, err := s.lane.Read(ctx, pos, limit-len(out))
		if gap, ok := errors.AsType[*GapError](err); ok {
			pos = gap.Resume
			continue
		}
		if err != nil || len(entries) == 0 {
			return out, err
		}
		for _, e := range entries {
			out = append(out, Record{N: e.ID, AtNS: e.ReceivedNS, Body: e.Payload})
		}
		pos = next
	}
	return out, nil
}
