package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"watchhouse/journal"
)

const (
	snapshotKey = "snapshot"
	// snapshotBytes and snapshotSteps are the change sets folded at a start before a snapshot is worth its write.
	snapshotBytes = 1 << 20
	snapshotSteps = 256
)

// savedState is the snapshot: a cache, believed only when it belongs to this chain, step for step.
type savedState struct {
	Version int      `json:"v"`
	Chain   string   `json:"chain"`
	Hash    verifier `json:"hash"` // of step State.Revision
	State   *state   `json:"state"`
}

// snapshotMark counts what has been folded since the last snapshot.
type snapshotMark struct {
	hash  verifier // of the last step folded
	steps int
	bytes int
	saved int // size of the last snapshot
}

func (m *snapshotMark) note(step journal.Step) {
	m.hash = step.Hash
	m.steps++
	m.bytes += len(step.Body)
}

// due keeps the writing in proportion: a large registry is saved after as many bytes of changes as it has itself.
func (m *snapshotMark) due() bool {
	return m.bytes >= max(snapshotBytes, m.saved) || m.steps >= snapshotSteps
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
	saved := savedState{State: newState()}
	if json.Unmarshal(text, &saved) != nil || saved.Version != formatVersion || saved.Chain != r.chain.ID() {
		return newState(), nil
	}
	steps, err := r.chain.Read(ctx, saved.State.Revision, 1)
	if err != nil || len(steps) != 1 || steps[0].Hash != [32]byte(saved.Hash) {
		return newState(), nil
	}
	r.snapshot = snapshotMark{hash: saved.Hash, saved: len(text)}
	return saved.State, nil
}

// maybeSnapshot saves the view when enough has changed. A failure costs the next start some time and nothing else; the next
// edit tries again.
func (r *Registry) maybeSnapshot(ctx context.Context) {
	if !r.snapshot.due() {
		return
	}
	saved := savedState{Version: formatVersion, Chain: r.chain.ID(), Hash: r.snapshot.hash, State: r.View().state}
	text, err := json.Marshal(saved)
	if err == nil && r.kv.Put(ctx, snapshotKey, text) == nil {
		r.snapshot = snapshotMark{hash: saved.Hash, saved: len(text)}
	}
}
