package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"

	"watchhouse/journal"
)

// Bounds of one group: what comes first never waits long for what comes last.
const (
	commandsPerRound = 64
	eventsPerRound   = 128
	clocksPerRound   = 128
	batchesPerRound  = 4
	looksPerRound    = 64
	findingsPerRound = 64
)

// group is what one commit appends, and whom to tell then.
type group struct {
	steps   []*step
	bodies  [][]byte
	answers []func()
	from    uint64 // the step before the first
}

// round decides on a bounded part of what waits, persons first, then calls, then clocks, then all the rest, and commits it.
// It reports whether something is left.
func (e *Engine) round(ctx context.Context) (more bool, err error) {
	g := &group{from: e.book.step}
	e.drain()
	for _, take := range []func(*group) (bool, error){
		e.takeCommands, e.takeEvents, e.takeFindings, e.takeClocks, e.takeBatches, e.takeSilences, e.takeLeft,
	} {
		left, err := take(g)
		if err != nil {
			return false, err
		}
		more = more || left
	}
	return more, e.commit(ctx, g)
}

// drain moves what has arrived out of the channels without waiting.
func (e *Engine) drain() {
	for {
		if len(e.backlog) >= eventsPerRound || len(e.queued) >= batchesPerRound {
			return
		}
		select {
		case b := <-e.events:
			e.queueEvents(b)
		case b := <-e.states:
			e.queued = append(e.queued, b)
		case b := <-e.gaps:
			e.queued = append(e.queued, b)
		case <-e.changed:
			e.watchRegistry()
		default:
			return
		}
	}
}

// queueEvents appends a batch to the backlog; a hole keeps its place among the entries.
func (e *Engine) queueEvents(b laneBatch) {
	if b.gap != nil {
		e.backlog = append(e.backlog, laneItem{Entry: journal.Entry{Next: b.next}, gap: b.gap})
	}
	e.backlog = append(e.backlog, b.items...)
	e.readTo = mark{b.next, b.ns}
}

func (e *Engine) nowMS() int64 { return max(e.ports.now().UnixMilli(), e.book.now) }

// add folds a decided step and puts it into the group.
func (e *Engine) add(g *group, s *step) error {
	if s == nil {
		return nil
	}
	body, err := s.encode()
	if err != nil {
		return err
	}
	if err := e.book.apply(e.book.step+1, s); err != nil {
		return err
	}
	for _, t := range s.Set {
		e.clocks.add(t)
	}
	g.steps, g.bodies = append(g.steps, s), append(g.bodies, body)
	return nil
}

func (e *Engine) takeCommands(g *group) (bool, error) {
	for range commandsPerRound {
		q := e.nextRequest()
		if q == nil {
			return false, nil
		}
		if err := e.command(g, q); err != nil {
			return false, err
		}
	}
	return len(e.mailbox) > 0, nil
}

func (e *Engine) nextRequest() *request {
	if q := e.held; q != nil {
		e.held = nil
		return q
	}
	select {
	case q := <-e.mailbox:
		return q
	default:
		return nil
	}
}

func (e *Engine) command(g *group, q *request) error {
	if q.ctx.Err() != nil {
		return nil //nolint:nilerr // nobody waits for it any more, and nothing was promised
	}
	if q.settle != nil {
		g.answers = append(g.answers, func() { q.answer <- answer{} })
		return e.add(g, e.decideSettle(e.book, e.ports.world(), *q.settle, e.nowMS(), e.cursors()))
	}
	s, res, err := e.decideCommand(e.book, e.ports.world(), q.command, e.nowMS(), e.cursors())
	g.answers = append(g.answers, func() { q.answer <- answer{res, err} })
	return e.add(g, s)
}

func (e *Engine) takeEvents(g *group) (bool, error) {
	n := min(len(e.backlog), eventsPerRound)
	for i := range e.backlog[:n] {
		if err := e.event(g, &e.backlog[i]); err != nil {
			return false, err
		}
	}
	e.backlog = e.backlog[n:]
	if len(e.backlog) == 0 && e.readTo.ns > 0 {
		e.at.event.advance(e.readTo.pos, e.readTo.ns)
		e.progress.event.set(e.readTo.pos, e.readTo.ns)
	}
	return len(e.backlog) > 0, nil
}

// event decides on one entry of the event lane, unless the ledger's cursor says that it has been.
func (e *Engine) event(g *group, it *laneItem) error {
	if it.gap != nil {
		e.at.event.advance(it.Next, 0)
		return e.gap(g, it.gap)
	}
	e.seen.mark(&it.Entry)
	if it.Pos.Compare(e.at.event.pos) < 0 {
		return nil
	}
	e.at.event.advance(it.Next, it.ReceivedNS)
	s, v, err := e.judge(it.Entry)
	if err != nil {
		return e.unjudged(g, &it.Entry, err)
	}
	e.count(v, it.ReceivedNS)
	return e.add(g, s)
}

// judge decides on an entry and contains a panic of the decision: one message must not stop all others.
func (e *Engine) judge(it journal.Entry) (s *step, v verdict, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, v, err = nil, verdict{}, fmt.Errorf("decision panicked: %v\n%s", p, debug.Stack())
		}
	}()
	s, v = e.decideEvent(e.book, e.ports.world(), it, e.nowMS(), e.cursors())
	return s, v, nil
}

// unjudged raises the hole that a message leaves which cannot be decided on.
func (e *Engine) unjudged(g *group, it *journal.Entry, cause error) error {
	id := messageID(journal.EventLane, it.ID)
	e.ports.log.Error("message cannot be judged", "message", id, "err", cause)
	e.counters.gaps.Add(1)
	text := fmt.Sprintf("message %s from %s cannot be judged", id, it.Device)
	return e.add(g, e.decideGap(e.book, e.ports.world(), string(journal.EventLane), text, e.nowMS(), e.cursors()))
}

// count keeps what a decision leaves beside its step.
func (e *Engine) count(v verdict, atNS int64) {
	if v.duplicate {
		e.counters.duplicates.Add(1)
	}
	if v.ignored {
		e.counters.retained.Add(1)
	}
	if v.letter == nil {
		return
	}
	e.counters.undecodable.Add(1)
	if body, err := json.Marshal(v.letter); err == nil {
		e.ports.letters.Add(atNS, body)
	}
}

func (e *Engine) takeClocks(g *group) (bool, error) {
	now := e.nowMS()
	for range clocksPerRound {
		t, ok := e.clocks.pop(e.book, now)
		if !ok {
			return false, nil
		}
		if err := e.add(g, e.decideTimers(e.book, e.ports.world(), t.Incident, now, e.cursors())); err != nil {
			return false, err
		}
	}
	return true, nil
}

// takeBatches handles the state lane and holes in the telemetry lane.
func (e *Engine) takeBatches(g *group) (bool, error) {
	n := min(len(e.queued), batchesPerRound)
	for _, b := range e.queued[:n] {
		if err := e.batch(g, b); err != nil {
			return false, err
		}
	}
	e.queued = e.queued[n:]
	return len(e.queued) > 0, nil
}

func (e *Engine) batch(g *group, b laneBatch) error {
	if b.gap != nil {
		if err := e.gap(g, b.gap); err != nil || b.gap.Lane == journal.TelemetryLane {
			return err
		}
	}
	for i := range b.items {
		if err := e.stateEntry(g, &b.items[i]); err != nil {
			return err
		}
	}
	e.at.state.advance(b.next, b.ns)
	e.progress.state.set(b.next, b.ns)
	return nil
}

func (e *Engine) stateEntry(g *group, it *laneItem) error {
	if it.Kind == journal.HubStart {
		e.absence.hubStarted(it.previousNS, it.ReceivedNS)
		e.watch.blind.Store(e.absence.blindUntil)
		return nil
	}
	if it.Pos.Compare(e.at.state.pos) < 0 {
		return nil
	}
	e.at.state.advance(it.Next, it.ReceivedNS)
	s, v := e.decideAck(e.book, e.ports.world(), it.Entry, e.nowMS(), e.cursors())
	e.count(v, it.ReceivedNS)
	return e.add(g, s)
}

func (e *Engine) gap(g *group, hole *journal.GapError) error {
	e.counters.gaps.Add(1)
	e.ports.log.Error("hole in a lane", "lane", string(hole.Lane), "from", hole.From, "to", hole.To, "err", hole.Err)
	text := fmt.Sprintf("lane %s: messages %d to %d cannot be read", hole.Lane, hole.From, hole.To)
	return e.add(g, e.decideGap(e.book, e.ports.world(), string(hole.Lane), text, e.nowMS(), e.cursors()))
}

// takeFindings decides on what the watch has found. They are forgotten once the group is committed.
func (e *Engine) takeFindings(g *group) (bool, error) {
	list, more := e.watch.found.take(findingsPerRound)
	if len(list) == 0 {
		return more, nil
	}
	g.answers = append(g.answers, e.watch.found.committed)
	return more, e.add(g, e.decideFindings(e.book, e.ports.world(), list, e.nowMS(), e.cursors()))
}

// watermark is the receive time up to which every lane has been taken into account, Unix ns, 0 while one has not begun.
func (e *Engine) watermark() int64 {
	_, event := e.progress.event.get()
	_, state := e.progress.state.get()
	_, tele := e.progress.telemetry.get()
	return min(event, state, tele)
}

func (e *Engine) takeSilences(g *group) (bool, error) {
	found := e.absence.findings(e.book, e.ports.world(), e.watermark(), looksPerRound)
	if len(found) == 0 {
		return e.absence.due(e.watermark()), nil
	}
	now := e.nowMS()
	return e.absence.due(e.watermark()), e.add(g, e.decideSilences(e.book, e.ports.world(), found, now, e.cursors()))
}

// takeLeft looks once after every change of the registry who has left it.
func (e *Engine) takeLeft(g *group) (bool, error) {
	if !e.left {
		return false, nil
	}
	e.left = false
	return false, e.add(g, e.decideLeft(e.book, e.ports.world(), e.nowMS(), e.cursors()))
}
