package registry

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"watchhouse/journal"
)

const (
	snapshotKey = "snapshot"
	// snapshotVersion is 3 since the state lies beside in parts; in 1 and 2 it is within. A program that knows less must not
	// believe it: the chain tells it why it cannot go on.
	snapshotVersion = 3
	// snapshotBytes and snapshotSteps are the change sets folded at a start before a snapshot is worth its write.
	snapshotBytes = 1 << 20
	snapshotSteps = 256
)

// savedState is the snapshot: a cache, believed only when it belongs to this chain, step for step. The state is kept as the
// operations that make it, in parts of their own, so that a large registry is never in memory a second time as text.
type savedState struct {
	Version  int             `json:"v"`
	Chain    string          `json:"chain"`
	Hash     verifier        `json:"hash"` // of the last step
	Sum      verifier        `json:"sum"`  // SHA-256 of the state: a flipped bit must not change who may connect
	Revision uint64          `json:"revision,omitempty"`
	Step     uint64          `json:"step,omitempty"`
	Parts    int             `json:"parts,omitempty"`
	State    json.RawMessage `json:"state,omitempty"` // until version 2
}

func snapshotPart(n int) string { return snapshotKey + "." + strconv.Itoa(n) }

// snapshotMark counts what has been folded since the last snapshot.
type snapshotMark struct {
	hash  verifier // of the last step folded
	steps int
	bytes int
	saved int // size of the last snapshot
	every int // steps
}

func (m *snapshotMark) note(body []byte, hash verifier) {
	m.hash = hash
	m.steps++
	m.bytes += len(body)
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
	s, mark, err := r.decodeSnapshot(ctx, text)
	if err != nil {
		return newState(), nil //nolint:nilerr // a snapshot that cannot be believed is made anew; the chain has it all
	}
	steps, err := r.chain.Read(ctx, s.Step, 1)
	if err != nil || len(steps) != 1 || steps[0].Hash != [32]byte(mark.hash) {
		return newState(), nil //nolint:nilerr // as above; if the chain cannot be read, reading all of it will say so
	}
	r.snapshot = mark
	return s, nil
}

// decodeSnapshot reads a snapshot and checks that it is whole and of this chain.
func (r *Registry) decodeSnapshot(ctx context.Context, text []byte) (*state, snapshotMark, error) {
	var saved savedState
	if err := json.Unmarshal(text, &saved); err != nil {
		return nil, snapshotMark{}, fmt.Errorf("decode snapshot: %w", err)
	}
	if saved.Version < 1 || saved.Version > snapshotVersion || saved.Chain != r.chain.ID() {
		return nil, snapshotMark{}, errors.New("snapshot is of another chain or format")
	}
	load := r.savedParts
	if saved.Version < snapshotVersion {
		load = savedWhole
	}
	s, size, sum, err := load(ctx, saved)
	switch {
	case err != nil:
		return nil, snapshotMark{}, fmt.Errorf("decode snapshot: %w", err)
	case sum != saved.Sum:
		return nil, snapshotMark{}, errors.New("snapshot is damaged, or was not finished")
	}
	return s, snapshotMark{hash: saved.Hash, saved: size, every: r.snapshot.every}, nil
}

// savedWhole gives the state of a snapshot that holds it itself.
func savedWhole(_ context.Context, saved savedState) (s *state, size int, sum verifier, err error) {
	s = newState()
	err = json.Unmarshal(saved.State, s)
	s.Step = s.Revision // each change set was one step
	return s, len(saved.State), sha256.Sum256(saved.State), err
}

// savedParts gives the state that lies in parts beside the snapshot. Whether they are its parts, the sum tells.
func (r *Registry) savedParts(ctx context.Context, saved savedState) (s *state, size int, sum verifier, err error) {
	s = newState()
	all := sha256.New()
	for n := 1; n <= saved.Parts; n++ {
		body, err := r.kv.Get(ctx, snapshotPart(n))
		if err != nil {
			return nil, 0, sum, err
		}
		all.Write(body)
		size += len(body)
		if err := s.fold(body); err != nil {
			return nil, 0, sum, err
		}
	}
	s.Revision, s.Step = saved.Revision, saved.Step
	return s, size, verifier(all.Sum(nil)), nil
}

// maybeSnapshot saves the view when enough has changed. A failure costs the next start some time and nothing else; the next
// edit tries again.
func (r *Registry) maybeSnapshot(ctx context.Context) {
	if !r.snapshot.due() {
		return
	}
	if size, err := r.saveSnapshot(ctx); err == nil {
		r.snapshot = snapshotMark{hash: r.snapshot.hash, saved: size, every: r.snapshot.every}
	}
}

// saveSnapshot writes the parts and then what says that they belong together: until then there is no snapshot that can be believed.
func (r *Registry) saveSnapshot(ctx context.Context) (size int, err error) {
	s, all := r.View().state, sha256.New()
	saved := savedState{Version: snapshotVersion, Chain: r.chain.ID(), Hash: r.snapshot.hash, Revision: s.Revision, Step: s.Step}
	w := partWriter{most: r.partBytes, put: func(body []byte) error {
		all.Write(body)
		size += len(body)
		saved.Parts++
		return r.kv.Put(ctx, snapshotPart(saved.Parts), body)
	}}
	if err := s.each(w.add); err != nil {
		return 0, err
	}
	if err := w.close(); err != nil {
		return 0, err
	}
	saved.Sum = verifier(all.Sum(nil))
	head, err := json.Marshal(saved)
	if err != nil {
		return 0, fmt.Errorf("encode snapshot: %w", err)
	}
	return size, r.kv.Put(ctx, snapshotKey, head)
}
