package registry

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"watchhouse/journal"
	"watchhouse/telemetry/catalog"
)

// chainName is the registry's chain and bucket in the journal.
const chainName = "registry"

// Registry is the fold of its change sets: safe for concurrent use; reads never block.
type Registry struct {
	chain chain
	kv    shelf
	kinds *catalog.Catalog
	keys  *keyring
	gate  *gate // bounds password hashing

	view atomic.Pointer[View]

	mu       sync.Mutex // held by the one writer
	snapshot snapshotMark
}

// Open folds the chain "registry" of j. It writes nothing.
func Open(ctx context.Context, cfg Config, j *journal.Journal) (*Registry, error) {
	return open(ctx, cfg, j.Chain(chainName), j.KV(chainName))
}

func open(ctx context.Context, cfg Config, c chain, kv shelf) (*Registry, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	kinds, err := cfg.LoadCatalog()
	if err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	keys, err := openKeyring(cfg.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	r := &Registry{chain: c, kv: kv, kinds: kinds, keys: keys, gate: newGate()}
	r.snapshot.every = snapshotSteps
	s, err := r.loadSnapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	if err := r.readChanges(ctx, s); err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	r.view.Store(newView(s, kinds, keys, newHasher(s.Key)))
	return r, nil
}

// View is the current immutable state.
func (r *Registry) View() *View { return r.view.Load() }

// Changed closes when a newer view exists. Take the channel before the view, or a change in between is missed.
func (r *Registry) Changed() <-chan struct{} { return r.View().changed }

// KeyProblem tells why personal data cannot be opened: the key file is missing, or lacks a key in use. Nil when all is well.
// It stops nobody from calling for help, so Open does not fail on it; whoever opened the registry should say it aloud.
func (r *Registry) KeyProblem() error {
	s := r.View().state
	for _, box := range s.Persons {
		if _, err := r.keys.key(box.Key); err != nil {
			return err
		}
	}
	for _, c := range s.Contacts {
		if _, err := r.keys.key(c.Sealed.Key); err != nil {
			return err
		}
	}
	return nil
}

// readChanges folds into s whatever the chain holds beyond it.
func (r *Registry) readChanges(ctx context.Context, s *state) error {
	const page = 64
	for {
		steps, err := r.chain.Read(ctx, s.Revision+1, page)
		if err != nil {
			return fmt.Errorf("read change sets from %d: %w", s.Revision+1, err)
		}
		for _, step := range steps {
			if err := s.fold(step.N, step.Body); err != nil {
				return err
			}
			r.snapshot.note(step)
		}
		if len(steps) == 0 {
			return nil
		}
	}
}

// edit is one change: build decides upon the current state what to do, and refuses by an error. All of it becomes one change
// set, or none of it. When build adds nothing, nothing is written.
func (r *Registry) edit(ctx context.Context, actor string, build func(*draft) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	const attempts = 3 // against another writer of the same chain, which the lock on the data folder all but rules out
	for attempt := 1; ; attempt++ {
		err := r.editOnce(ctx, actor, build)
		if !errors.Is(err, journal.ErrConflict) || attempt == attempts {
			return err
		}
	}
}

func (r *Registry) editOnce(ctx context.Context, actor string, build func(*draft) error) error {
	if err := r.catchUp(ctx); err != nil {
		return err
	}
	d := newDraft(r.View())
	if err := build(d); err != nil {
		return err
	}
	if len(d.ops) == 0 {
		return nil
	}
	body, err := json.Marshal(changeSet{Version: formatVersion, AtMS: time.Now().UnixMilli(), Actor: actor, Ops: d.withKey()})
	if err != nil {
		return fmt.Errorf("encode change set: %w", err)
	}
	if _, err := r.chain.Append(ctx, r.View().Revision(), body); err != nil {
		return errors.Join(fmt.Errorf("append change set: %w", err), r.findOut(ctx))
	}
	// From here on the change is made, whatever the caller's context says.
	if err := r.catchUp(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	r.maybeSnapshot(context.WithoutCancel(ctx))
	return nil
}

// findOut looks after a failed append whether it was stored after all: then the view must show it.
func (r *Registry) findOut(ctx context.Context) error {
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return r.catchUp(look)
}

// catchUp publishes what the chain holds beyond the view: the step just appended, or one whose append seemed to fail. The view
// is made from the written bytes alone, so it cannot differ from what the next start will read.
func (r *Registry) catchUp(ctx context.Context) error {
	old := r.View()
	last, err := r.chain.Last(ctx)
	if err != nil {
		return fmt.Errorf("find the last change set: %w", err)
	}
	if last == old.Revision() {
		return nil
	}
	s := old.state.clone()
	if err := r.readChanges(ctx, s); err != nil {
		return err
	}
	h := old.hasher
	if old.state.Key == nil {
		h = newHasher(s.Key)
	}
	r.view.Store(newView(s, r.kinds, r.keys, h))
	close(old.changed)
	return nil
}

// newKey makes the key of a registry's verifiers.
func newKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, it ends the process instead
	return key
}
