package alerts

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"watchhouse/journal"
)

// commit appends a group, then shows it: first the view, then the stream, then the answers.
func (e *Engine) commit(ctx context.Context, g *group) error {
	if len(g.bodies) > 0 {
		if err := e.stamp(g); err != nil {
			return err
		}
		done, err := e.append(ctx, g)
		if err != nil {
			return err
		}
		e.hash = hex.EncodeToString(done[len(done)-1].Hash[:])
		e.publish(g)
	}
	for _, tell := range g.answers {
		tell()
	}
	return nil
}

// stamp writes into the last step up to where the event lane has been decided, with what was decided beyond that. A group is
// stored as a whole, so the steps before it need not say so.
func (e *Engine) stamp(g *group) error {
	last := len(g.steps) - 1
	s := g.steps[last]
	at, ahead := e.inbox.tell()
	s.Cursors.Event, s.Ahead = at.cursor(), ahead
	body, err := s.encode()
	if err != nil {
		return err
	}
	e.book.applyPlaces(s)
	g.bodies[last] = body
	return nil
}

// append makes the group durable or finds that it is. While the disk refuses it tries again: nothing that depends on the
// group is shown, and every input can be read again.
func (e *Engine) append(ctx context.Context, g *group) ([]journal.Step, error) {
	failed := false
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		done, err := e.appendOnce(ctx, g)
		if err == nil {
			return done, nil
		}
		if done, err := e.settle(ctx, g, err); done != nil || err != nil {
			return done, err
		}
		if !failed {
			e.ports.log.Error("ledger refuses, trying again", "steps", len(g.bodies), "err", err)
			failed = true
		}
		e.counters.retries.Add(1)
		if err := sleep(ctx, wait); err != nil {
			return nil, fmt.Errorf("append to the ledger: %w", err)
		}
	}
}

// appendTimeout is when an append counts as lost and its outcome is looked up.
const appendTimeout = 5 * time.Second

// appendOnce finishes what it began when the engine is stopped: an answer that can be given is better than one left open.
func (e *Engine) appendOnce(ctx context.Context, g *group) ([]journal.Step, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	return e.ports.ledger.Append(ctx, g.from, g.bodies...)
}

// settle finds out what became of an append that failed: all of it stored, none of it (try again), or another writer.
func (e *Engine) settle(ctx context.Context, g *group, cause error) ([]journal.Step, error) {
	if errors.Is(cause, journal.ErrClosed) {
		return nil, fmt.Errorf("append to the ledger: %w", cause)
	}
	last, err := e.ports.ledger.Last(ctx)
	if err != nil || last == g.from {
		return nil, ctx.Err()
	}
	if last != g.from+uint64(len(g.bodies)) {
		return nil, ErrNotLeader
	}
	stored, err := e.ports.ledger.Read(ctx, last, 1)
	if err != nil {
		return nil, ctx.Err()
	}
	if len(stored) != 1 || !bytes.Equal(stored[0].Body, g.bodies[len(g.bodies)-1]) {
		return nil, ErrNotLeader
	}
	return stored, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// publish shows a committed group.
func (e *Engine) publish(g *group) {
	touched := map[string]struct{}{}
	var list []Transition
	outbox := false
	for _, s := range g.steps {
		for _, t := range s.Transitions {
			touched[t.Incident.ID] = struct{}{}
		}
		list = append(list, s.Transitions...)
		outbox = outbox || len(s.Outbox)+len(s.Settled) > 0
	}
	old := e.view.Load()
	gone := e.book.forgotten != e.shownForgotten
	e.shownForgotten = e.book.forgotten
	e.publishTrails(touched, old, gone)
	e.view.Store(old.after(e.book, touched, gone))
	e.ring.add(list)
	if outbox {
		e.outbox.publish(e.book)
	}
	e.counters.steps.Add(uint64(len(g.steps)))
	e.counters.transitions.Add(uint64(len(list)))
}

func (e *Engine) publishTrails(touched map[string]struct{}, old *View, gone bool) {
	e.trailsMu.Lock()
	defer e.trailsMu.Unlock()
	for id := range touched {
		e.trails[id] = e.book.trail[id]
	}
	if !gone {
		return
	}
	for _, i := range old.Incidents {
		if _, kept := e.book.incidents[i.ID]; !kept {
			delete(e.trails, i.ID)
		}
	}
}
