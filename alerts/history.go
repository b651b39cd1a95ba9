package alerts

import (
	"context"
	"fmt"
	"slices"

	"github.com/oklog/ulid/v2"

	"watchhouse/journal"
)

// ledgerPage is how many steps one read of the ledger brings.
const ledgerPage = 64

// stepAt reads and decodes one step.
func (e *Engine) stepAt(ctx context.Context, n uint64) (*step, error) {
	list, err := e.ports.ledger.Read(ctx, n, 1)
	if err != nil {
		return nil, fmt.Errorf("read step %d: %w", n, err)
	}
	if len(list) == 0 || list[0].N != n {
		return nil, fmt.Errorf("read step %d: %w", n, journal.ErrNotFound)
	}
	return decodeStep(list[0].Body)
}

// searchSteps gives the first step for which reached holds, by bisection, or the number after the last.
func (e *Engine) searchSteps(ctx context.Context, reached func(*step) bool) (uint64, error) {
	last, err := e.ports.ledger.Last(ctx)
	if err != nil {
		return 0, fmt.Errorf("last step: %w", err)
	}
	low, high := uint64(1), last+1
	for low < high {
		mid := low + (high-low)/2
		s, err := e.stepAt(ctx, mid)
		if err != nil {
			return 0, err
		}
		if reached(s) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low, nil
}

// walkSteps calls do for the steps from n on until it returns false or the ledger ends.
func (e *Engine) walkSteps(ctx context.Context, n uint64, do func(*step) bool) error {
	for {
		list, err := e.ports.ledger.Read(ctx, n, ledgerPage)
		if err != nil {
			return fmt.Errorf("read steps from %d: %w", n, err)
		}
		if len(list) == 0 {
			return nil
		}
		for _, raw := range list {
			s, err := decodeStep(raw.Body)
			if err != nil {
				return fmt.Errorf("step %d: %w", raw.N, err)
			}
			if !do(s) {
				return nil
			}
		}
		n = list[len(list)-1].N + 1
	}
}

// transitionsAfter reads committed transitions from the ledger.
func (e *Engine) transitionsAfter(ctx context.Context, after uint64, limit int) ([]Transition, error) {
	from, err := e.searchSteps(ctx, func(s *step) bool { return s.last() > after })
	if err != nil {
		return nil, err
	}
	_, head, _ := e.ring.bounds()
	var list []Transition
	err = e.walkSteps(ctx, from, func(s *step) bool {
		for _, t := range s.Transitions {
			if t.N > after && t.N <= head && len(list) < limit {
				list = append(list, t)
			}
		}
		return len(list) < limit
	})
	return list, err
}

// Timeline gives all transitions of one incident, oldest first. One that the live state has forgotten is looked up in the
// ledger from the time its id was made; an unknown one is ErrNotFound.
func (e *Engine) Timeline(ctx context.Context, incident string) ([]Transition, error) {
	if trail, ok := e.trailOf(incident); ok {
		return e.timelineOf(ctx, incident, trail)
	}
	id, err := ulid.ParseStrict(incident)
	if err != nil {
		return nil, ErrNotFound
	}
	made := int64(id.Time())
	from, err := e.searchSteps(ctx, func(s *step) bool { return s.Now >= made })
	if err != nil {
		return nil, err
	}
	return e.scanTimeline(ctx, incident, made, from)
}

// scanTimeline walks the ledger from the step that raised an incident to the one that ended it.
func (e *Engine) scanTimeline(ctx context.Context, incident string, made int64, from uint64) ([]Transition, error) {
	var list []Transition
	err := e.walkSteps(ctx, from, func(s *step) bool {
		for _, t := range s.Transitions {
			if t.Incident.ID == incident {
				list = append(list, t)
			}
		}
		if len(list) == 0 {
			return s.Now <= made
		}
		return list[len(list)-1].Incident.Open()
	})
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	return list, err
}

// timelineOf reads the steps of a trail, those that lie close together with one read.
func (e *Engine) timelineOf(ctx context.Context, incident string, trail []uint64) ([]Transition, error) {
	var list []Transition
	for len(trail) > 0 {
		n, span := closeTogether(trail)
		steps, err := e.ports.ledger.Read(ctx, trail[0], span)
		if err != nil {
			return nil, fmt.Errorf("read step %d: %w", trail[0], err)
		}
		for _, number := range trail[:n] {
			at := int(number - trail[0])
			if at >= len(steps) || steps[at].N != number {
				return nil, fmt.Errorf("read step %d: %w", number, journal.ErrNotFound)
			}
			s, err := decodeStep(steps[at].Body)
			if err != nil {
				return nil, fmt.Errorf("step %d: %w", number, err)
			}
			list = append(list, s.of(incident)...)
		}
		trail = trail[n:]
	}
	return list, nil
}

// closeTogether gives how many steps at the front of a trail are worth one read, and how many steps that is with those between.
func closeTogether(trail []uint64) (n, span int) {
	const between = 32 // a step that is read in vain costs so much less than a search
	for n = 1; n < len(trail) && n < ledgerPage; n++ {
		if trail[n]-trail[n-1] > between || trail[n]-trail[0] >= 4*ledgerPage {
			break
		}
	}
	return n, int(trail[n-1]-trail[0]) + 1
}

// of gives the transitions of one incident.
func (s *step) of(incident string) []Transition {
	return slices.DeleteFunc(s.Transitions, func(t Transition) bool { return t.Incident.ID != incident })
}

// trailOf gives the committed steps that touched an incident of the live state.
func (e *Engine) trailOf(incident string) ([]uint64, bool) {
	e.trailsMu.RLock()
	defer e.trailsMu.RUnlock()
	trail, ok := e.trails[incident]
	return slices.Clone(trail), ok
}
