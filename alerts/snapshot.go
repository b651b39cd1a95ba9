package alerts

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// snapshotVersion is the schema of a snapshot; any other is ignored and the ledger is folded from its beginning.
const snapshotVersion = 1

// snapshot is a book in its canonical form: equal books give equal bytes.
type snapshot struct {
	V     int    `json:"v"`
	Epoch string `json:"epoch"` // of the ledger it belongs to
	Hash  string `json:"hash"`  // of the chain at Step, hexadecimal

	Step       uint64                `json:"step"`
	Seq        uint64                `json:"seq"`
	Now        int64                 `json:"now"`
	Incidents  []*Incident           `json:"incidents"`
	Keys       map[string]string     `json:"keys"` // incident to dedupe key
	Answers    map[string]string     `json:"answers"`
	Conditions []Condition           `json:"conditions"`
	Timers     []timer               `json:"timers"`
	Outbox     []OutboxEntry         `json:"outbox"`
	Commands   map[string]done       `json:"commands"`
	Seen       map[string][]identity `json:"seen"`
	Levels     map[string][]string   `json:"levels,omitempty"`
	Told       map[string]int64      `json:"told,omitempty"`
	Crowds     map[string][]uint64   `json:"crowds,omitempty"`
	Trail      map[string][]uint64   `json:"trail"`
	Cursors    cursors               `json:"cursors"`
	Ahead      *numbers              `json:"ahead,omitempty"`
	Closed     []string              `json:"closed"` // in order of closing
}

// freeze copies what may change under it; the incidents are shared. It takes about a millisecond for 10,000 incidents, so
// the engine may do it between two groups and leave the encoding to another goroutine.
func (b *book) freeze(epoch, hash string) *snapshot {
	s := &snapshot{
		V: snapshotVersion, Epoch: epoch, Hash: hash, Step: b.step, Seq: b.seq, Now: b.now, Cursors: b.cursors,
		Keys: maps.Clone(b.keysOf), Answers: maps.Clone(b.answers), Levels: maps.Clone(b.levels), Told: maps.Clone(b.told), Commands: maps.Clone(b.commands),
		Crowds: b.crowdsInOrder(), Seen: make(map[string][]identity, len(b.seen)), Trail: make(map[string][]uint64, len(b.trail)), Timers: b.openTimers(),
	}
	b.forgetIdentities()
	for _, id := range sortedKeys(b.incidents) {
		s.Incidents = append(s.Incidents, b.incidents[id])
	}
	for _, key := range sortedKeys(b.conditions) {
		s.Conditions = append(s.Conditions, b.conditions[key])
	}
	for _, id := range sortedKeys(b.outbox) {
		s.Outbox = append(s.Outbox, b.outbox[id])
	}
	for device, list := range b.seen {
		s.Seen[device] = slices.Clone(list)
	}
	for id, list := range b.trail {
		s.Trail[id] = slices.Clone(list)
	}
	if !b.ahead.empty() {
		ahead := b.ahead.clone()
		s.Ahead = &ahead
	}
	for _, c := range b.closed {
		s.Closed = append(s.Closed, c.id)
	}
	return s
}

func (s *snapshot) encode() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	return b, nil
}

func decodeSnapshot(data []byte) (*snapshot, error) {
	var s snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("decode snapshot: %w", err)
	}
	if s.V != snapshotVersion {
		return nil, fmt.Errorf("decode snapshot: version %d", s.V)
	}
	return &s, nil
}

// thaw makes the book again.
func (s *snapshot) thaw() (*book, error) {
	b := newBook()
	b.step, b.seq, b.now, b.cursors = s.Step, s.Seq, s.Now, s.Cursors
	for _, i := range s.Incidents {
		if i == nil || i.ID == "" {
			return nil, errors.New("snapshot: incident without an id")
		}
		b.incidents[i.ID] = i
		b.noteStranger(i) // by id is by time
	}
	for id, known := range s.Crowds {
		b.crowds[id] = map[uint64]bool{}
		for _, h := range known {
			b.crowds[id][h] = true
		}
	}
	b.ahead.prune(s.Cursors.Event.N)
	b.ahead.join(s.Ahead)
	copyInto(b.keysOf, s.Keys)
	copyInto(b.answers, s.Answers)
	copyInto(b.seen, s.Seen)
	copyInto(b.levels, s.Levels)
	copyInto(b.told, s.Told)
	copyInto(b.trail, s.Trail)
	for _, c := range s.Conditions {
		b.applyCondition(c)
	}
	for _, t := range s.Timers {
		b.timers[timerID{t.Incident, t.Name}] = t.DueAt
	}
	for _, e := range s.Outbox {
		b.outbox[e.ID] = e
		b.pending = insertAged(b.pending, aged{e.Expires, e.ID})
	}
	for key, d := range s.Commands {
		b.commands[key] = d
		b.expiry = insertAged(b.expiry, aged{d.At, key})
	}
	return b, b.requeue(s.Closed)
}

func (b *book) requeue(closed []string) error {
	for _, id := range closed {
		i, ok := b.incidents[id]
		if !ok {
			return fmt.Errorf("snapshot: closed incident %s is missing", id)
		}
		b.closed = append(b.closed, aged{i.ClosedAt, id})
	}
	return nil
}

func copyInto[K comparable, V any](to, from map[K]V) { maps.Copy(to, from) }
