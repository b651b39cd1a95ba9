package registry

import (
	"context"
	"crypto/rand"
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

	mu        sync.Mutex // held by the one writer
	snapshot  snapshotMark
	partBytes int // of one step, about
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
	r := &Registry{chain: c, kv: kv, kinds: kinds, keys: keys, gate: newGate(), partBytes: partBytes}
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
	f := folder{chain: r.chain, state: s, note: r.snapshot.note}
	return f.run(ctx)
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
	last, err := r.catchUp(ctx)
	if err != nil {
		return err
	}
	d := newDraft(r.View())
	if err := build(d); err != nil {
		return err
	}
	d.next = nil // what it shows will be read from the chain: there need not be two of it
	wrote, err := r.append(ctx, actor, last, d)
	if err != nil {
		return errors.Join(err, r.findOut(ctx))
	}
	if !wrote {
		return nil
	}
	// From here on the change is made, whatever the caller's context says.
	if _, err := r.catchUp(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	r.maybeSnapshot(context.WithoutCancel(ctx))
	return nil
}

// append writes the draft's operations after step last. Parts of a series whose last one is missing count for nothing.
func (r *Registry) append(ctx context.Context, actor string, last uint64, d *draft) (wrote bool, err error) {
	w := partWriter{head: changeHead{AtMS: time.Now().UnixMilli(), Actor: actor}, most: r.partBytes, put: func(body []byte) error {
		if _, err := r.chain.Append(ctx, last, body); err != nil {
			return fmt.Errorf("append change set: %w", err)
		}
		last++
		wrote = true
		return nil
	}}
	if err := d.write(w.add); err != nil {
		return wrote, err
	}
	return wrote, w.close()
}

// findOut looks after a failed append whether it was stored after all: then the view must show it.
func (r *Registry) findOut(ctx context.Context) error {
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, err := r.catchUp(look)
	return err
}

// catchUp publishes what the chain holds beyond the view: the step just appended, or one whose append seemed to fail. The view
// is made from the written bytes alone, so it cannot differ from what the next start will read. last is the step to append after:
// beyond the view's it is of a series that was not finished.
func (r *Registry) catchUp(ctx context.Context) (last uint64, err error) {
	old := r.View()
	if last, err = r.chain.Last(ctx); err != nil {
		return 0, fmt.Errorf("find the last change set: %w", err)
	}
	if last == old.state.Step {
		return last, nil
	}
	s := old.state.clone()
	if err := r.readChanges(ctx, s); err != nil {
		return 0, err
	}
	if s.Step == old.state.Step {
		return last, nil
	}
	h := old.hasher
	if old.state.Key == nil {
		h = newHasher(s.Key)
	}
	r.view.Store(newView(s, r.kinds, r.keys, h))
	close(old.changed)
	return last, nil
}

// newKey makes the key of a registry's verifiers.
func newKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, it ends the process instead
	return key
}
