package alerts

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"watchhouse/journal"
)

// Bounds of one group: what comes first never waits long for what comes last.
const (
	commandsPerRound = 64
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
		if len(e.queued) >= batchesPerRound {
			return
		}
		select {
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
		return e.settled(g, q)
	}
	var res Result
	var refused error
	s, err := attempt(func() (s *step) {
		s, res, refused = e.decideCommand(e.book, e.ports.world(), q.command, e.nowMS(), e.cursors())
		return s
	})
	if err != nil {
		g.answers = append(g.answers, func() { q.answer <- answer{err: ErrUndecided} })
		text := fmt.Sprintf("command %s on %s cannot be decided", q.command.Action, cmp.Or(q.command.Incident, "nothing"))
		return e.failed(g, mishap{what: "command", id: q.command.Incident, text: text}, err)
	}
	g.answers = append(g.answers, func() { q.answer <- answer{res, refused} })
	return e.add(g, s)
}

// settled ends an outbox entry. It is ended as well when the decision fails: its deliverer would come again and again.
func (e *Engine) settled(g *group, q *request) error {
	g.answers = append(g.answers, func() { q.answer <- answer{} })
	s, err := attempt(func() *step { return e.decideSettle(e.book, e.ports.world(), *q.settle, e.nowMS(), e.cursors()) })
	if err != nil {
		return e.failed(g, mishap{
			what: "delivery", id: q.settle.ID, text: fmt.Sprintf("delivery %s cannot be settled", q.settle.ID),
			clear: func(x *draft) { x.step.Settled = []settlement{*q.settle} },
		}, err)
	}
	return e.add(g, s)
}

// takeEvents decides on what the devices have to say whose turn it is.
func (e *Engine) takeEvents(g *group) (bool, error) {
	turns := e.inbox.take(e.ports.now())
	for _, t := range turns {
		if err := e.hear(g, t); err != nil {
			return false, err
		}
	}
	if len(turns) > 0 {
		g.answers = append(g.answers, e.inbox.committed)
	}
	at := e.inbox.done()
	e.progress.event.set(at.pos, at.ns)
	return e.inbox.left(), nil
}

// hear decides on one turn. Should that fail, each message is decided by itself: one must not stop all others.
func (e *Engine) hear(g *group, t turn) error {
	if t[0].gap != nil {
		return e.gap(g, t[0].gap)
	}
	var verdicts []verdict
	s, err := attempt(func() (s *step) {
		s, verdicts = e.decideTurn(e.book, e.ports.world(), t, e.nowMS(), e.cursors())
		return s
	})
	switch {
	case err == nil:
		for i := range verdicts {
			e.count(&verdicts[i], t[i].reps[0].receivedNS)
		}
		return e.add(g, s)
	case len(t) == 1:
		return e.unjudged(g, t[0], err)
	}
	for i := range t {
		if err := e.hear(g, t[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// unjudged raises the hole that messages leave which cannot be decided on.
func (e *Engine) unjudged(g *group, p share, cause error) error {
	first, last := messageID(journal.EventLane, p.reps[0].id), messageID(journal.EventLane, p.reps[len(p.reps)-1].id)
	text := fmt.Sprintf("message %s from %s cannot be judged", first, p.entry.Device)
	if first != last {
		text = fmt.Sprintf("messages %s to %s from %s cannot be judged", first, last, p.entry.Device)
	}
	return e.failed(g, mishap{what: "message", id: first, text: text}, cause)
}

// count keeps what a decision leaves beside its step.
func (e *Engine) count(v *verdict, atNS int64) {
	e.counters.duplicates.Add(uint64(v.duplicates))
	e.counters.retained.Add(uint64(v.ignored))
	e.counters.undecodable.Add(uint64(len(v.letters)))
	for i := range v.letters {
		if body, err := json.Marshal(v.letters[i]); err == nil {
			e.ports.letters.Add(atNS, body)
		}
	}
}

func (e *Engine) takeClocks(g *group) (bool, error) {
	now := e.nowMS()
	for range clocksPerRound {
		t, ok := e.clocks.pop(e.book, now)
		if !ok {
			return false, nil
		}
		if err := e.clock(g, t, now); err != nil {
			return false, err
		}
	}
	return true, nil
}

// clock fires what is due of an incident. A clock that cannot be decided on is skipped for good.
func (e *Engine) clock(g *group, t timer, now int64) error {
	s, err := attempt(func() *step { return e.decideTimers(e.book, e.ports.world(), t.Incident, now, e.cursors()) })
	if err != nil {
		return e.failed(g, mishap{
			what: "clock", id: t.Incident, text: fmt.Sprintf("clock %s of incident %s cannot be decided", t.Name, t.Incident),
			clear: func(x *draft) { x.disarmDue(t.Incident) },
		}, err)
	}
	return e.add(g, s)
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
	var v verdict
	s, err := attempt(func() (s *step) {
		s, v = e.decideAck(e.book, e.ports.world(), it.Entry, e.nowMS(), e.cursors())
		return s
	})
	if err != nil {
		id := messageID(journal.StateLane, it.ID)
		text := fmt.Sprintf("acknowledgement %s from %s cannot be judged", id, it.Device)
		return e.failed(g, mishap{what: "acknowledgement", id: id, text: text}, err)
	}
	e.count(&v, it.ReceivedNS)
	return e.add(g, s)
}

func (e *Engine) gap(g *group, hole *journal.GapError) error {
	e.counters.gaps.Add(1)
	e.ports.log.Error("hole in a lane", "lane", string(hole.Lane), "from", hole.From, "to", hole.To, "err", hole.Err)
	text := fmt.Sprintf("lane %s: messages %d to %d cannot be read", hole.Lane, hole.From, hole.To)
	s, err := attempt(func() *step {
		return e.decideGap(e.book, e.ports.world(), string(hole.Lane), text, e.nowMS(), e.cursors())
	})
	if err != nil {
		return e.failed(g, mishap{what: "hole", id: string(hole.Lane), text: text}, err)
	}
	return e.add(g, s)
}

// takeFindings decides on what the watch has found. They are forgotten once the group is committed.
func (e *Engine) takeFindings(g *group) (bool, error) {
	list, more := e.watch.found.take(findingsPerRound)
	if len(list) == 0 {
		return more, nil
	}
	g.answers = append(g.answers, e.watch.found.committed)
	return more, e.findings(g, list)
}

// findings decides on a list, or on each by itself when that fails.
func (e *Engine) findings(g *group, list []finding) error {
	s, err := attempt(func() *step { return e.decideFindings(e.book, e.ports.world(), list, e.nowMS(), e.cursors()) })
	switch {
	case err == nil:
		return e.add(g, s)
	case len(list) == 1:
		return e.failed(g, unfound(list[0]), err)
	}
	for i := range list {
		if err := e.findings(g, list[i:i+1]); err != nil {
			return err
		}
	}
	return nil
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
	for _, f := range e.absence.failed() {
		if err := e.failed(g, unseen(f.look), f.err); err != nil {
			return false, err
		}
	}
	if len(found) == 0 {
		return e.absence.due(e.watermark()), nil
	}
	return e.absence.due(e.watermark()), e.silences(g, found)
}

// silences decides on a list, or on each by itself when that fails.
func (e *Engine) silences(g *group, list []silence) error {
	s, err := attempt(func() *step { return e.decideSilences(e.book, e.ports.world(), list, e.nowMS(), e.cursors()) })
	switch {
	case err == nil:
		return e.add(g, s)
	case len(list) == 1:
		return e.failed(g, unsilenced(list[0]), err)
	}
	for i := range list {
		if err := e.silences(g, list[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// takeLeft looks once after every change of the registry who has left it.
func (e *Engine) takeLeft(g *group) (bool, error) {
	if !e.left {
		return false, nil
	}
	e.left = false
	return false, e.gone(g, sortedKeys(e.book.levels))
}

// gone decides on a list of devices, or on each by itself when that fails.
func (e *Engine) gone(g *group, devices []string) error {
	s, err := attempt(func() *step { return e.decideLeft(e.book, e.ports.world(), devices, e.nowMS(), e.cursors()) })
	switch {
	case err == nil:
		return e.add(g, s)
	case len(devices) == 1:
		return e.failed(g, unregistered(devices[0]), err)
	}
	for i := range devices {
		if err := e.gone(g, devices[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}
