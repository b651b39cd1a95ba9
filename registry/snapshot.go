package registry

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"watchhouse/journal"
)

const (
	snapshotKey = "snapshot"
	// snapshotVersion is 2 since places and contacts: a program that knows 1 only would drop them unnoticed, so it must not
	// believe a 2. The chain tells it why it cannot go on.
	snapshotVersion = 2
	// snapshotBytes and snapshotSteps are the change sets folded at a start before a snapshot is worth its write.
	snapshotBytes = 1 << 20
	snapshotSteps = 256
)

// savedState is the snapshot: a cache, believed only when it belongs to this chain, step for step.
type savedState struct {
	Version int             `json:"v"`
	Chain   string          `json:"chain"`
	Hash    verifier        `json:"hash"` // of step State.Revision
	Sum     verifier        `json:"sum"`  // SHA-256 of State: a flipped bit must not change who may connect
	State   json.RawMessage `json:"state"`
}

// snapshotMark counts what has been folded since the last snapshot.
type snapshotMark struct {
	hash  verifier // of the last step folded
	steps int
	bytes int
	saved int // size of the last snapshot
	every int // steps
}

func (m *snapshotMark) note(step journal.Step) {
	m.hash = step.Hash
	m.steps++
	m.bytes += len(step.Body)
}

// due keeps the writing in proportion: a large registry is saved after as many bytes of changes as it has itself.
func (m *snapshotMark) due() bool {
	return m.bytes >= max(snapshotBytes, m.saved) || m.steps >= m.every
}

// loadSnapshot gives the state to fold upon: an empty one when there is no snapshot or it cannot be believed.
func (r *Registry) loadSnapshot(ctx context.Context) (*state, error) {
	text, err := r.kv.Get(ctx, snapshotKey)
	if errors.Is(err, journal.ErrNotFound) {
		return newState(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	s, mark, err := r.decodeSnapshot(text)
	if err != nil {
		return newState(), nil //nolint:nilerr // a snapshot that cannot be believed is made anew; the chain has it all
	}
	steps, err := r.chain.Read(ctx, s.Revision, 1)
	if err != nil || len(steps) != 1 || steps[0].Hash != [32]byte(mark.hash) {
		return newState(), nil //nolint:nilerr // as above; if the chain cannot be read, reading all of it will say so
	}
	r.snapshot = mark
	return s, nil
}

// decodeSnapshot reads a snapshot and checks that it is whole and of this chain.
func (r *Registry) decodeSnapshot(text []byte) (*state, snapshotMark, error) {
	var saved savedState
	if err := json.Unmarshal(text, &saved); err != nil {
		return nil, snapshotMark{}, fmt.Errorf("decode snapshot: %w", err)
	}
	if saved.Version < 1 || saved.Version > snapshotVersion || saved.Chain != r.chain.ID() || verifier(sha256.Sum256(saved.State)) != saved.Sum {
		return nil, snapshotMark{}, errors.New("snapshot is of another chain or format, or damaged")
	}
	s := newState()
	if err := json.Unmarshal(saved.State, s); err != nil {
		return nil, snapshotMark{}, fmt.Errorf("decode snapshot: %w", err)
	}
	return s, snapshotMark{hash: saved.Hash, saved: len(text), every: r.snapshot.every}, nil
}

// maybeSnapshot saves the view when enough has changed. A failure costs the next start some time and nothing else; the next
// edit tries again.
func (r *Registry) maybeSnapshot(ctx context.Context) {
	if !r.snapshot.due() {
		return
	}
	text, err := r.encodeSnapshot()
	if err == nil && r.kv.Put(ctx, snapshotKey, text) == nil {
		r.snapshot = snapshotMark{hash: r.snapshot.hash, saved: len(text), every: r.snapshot.every}
	}
}

func (r *Registry) encodeSnapshot() ([]byte, error) {
	body, err := json.Marshal(r.View().state)
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	return json.Marshal(savedState{
		Version: snapshotVersion, Chain: r.chain.ID(), Hash: r.snapshot.hash, Sum: sha256.Sum256(body), State: body,
	})
}
