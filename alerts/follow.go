package alerts

import (
	"context"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// wantState picks the entries of the state lane that need a decision.
func wantState(e *journal.Entry) bool {
	if e.Kind == journal.HubStart {
		return true
	}
	if e.Kind != journal.Publish {
		return false
	}
	t, err := telemetry.ParseTopic(e.Topic)
	return err == nil && t.Channel == telemetry.ChannelCommandAck
}

// readers are the three lanes' followers.
func (e *Engine) readers() []*reader {
	everything := func(*journal.Entry) bool { return true }
	eventPos, eventNS := e.progress.event.get()
	statePos, stateNS := e.progress.state.get()
	telePos, teleNS := e.progress.telemetry.get()
	watchPos, watchNS := e.progress.watch.get()
	measured, happened := e.feed(journal.TelemetryLane), e.feed(journal.EventLane)
	return []*reader{
		{
			name: journal.EventLane, lane: e.ports.event, pos: eventPos, ns: eventNS, log: e.ports.log,
			want: everything, take: e.sorter().take,
		},
		{
			name: journal.StateLane, lane: e.ports.state, pos: statePos, ns: stateNS, log: e.ports.log,
			want: func(x *journal.Entry) bool { e.seen.mark(x); return wantState(x) }, take: sendTo(e.states),
		},
		{
			name: journal.TelemetryLane, lane: e.ports.telemetry, pos: telePos, ns: teleNS, log: e.ports.log,
			want: func(x *journal.Entry) bool { e.seen.mark(x); measured.take(x); return false }, take: e.telemetryRead(measured),
			lost: func() { e.progress.telemetry.restart(); e.watch.lost(journal.TelemetryLane) },
		},
		{
			// A second reading of the event lane: the engine's own never waits for the windows.
			name: journal.EventLane, lane: e.ports.event, pos: watchPos, ns: watchNS, log: e.ports.log,
			want: func(x *journal.Entry) bool { happened.take(x); return false }, take: e.eventsWatched(happened),
			lost: func() { e.progress.watch.restart(); e.watch.lost(journal.EventLane) },
		},
	}
}

// sorter knows what was decided before the start.
func (e *Engine) sorter() *sorter {
	return &sorter{
		world: e.ports.world, now: e.ports.now, seen: e.seen, inbox: e.inbox, from: e.at.event.pos, done: e.book.ahead.clone(),
	}
}

// telemetryRead never waits for the engine, except to report a hole. The progress moves first: a step must never name a place
// before the message whose finding it decided.
func (e *Engine) telemetryRead(f *feed) func(context.Context, laneBatch) bool {
	return func(ctx context.Context, b laneBatch) bool {
		ok := true
		if b.gap != nil {
			ok = sendTo(e.gaps)(ctx, b)
		}
		e.progress.telemetry.set(b.next, b.ns)
		return e.watch.take(ctx, f.lane, f.taken(), b.next, b.ns) && ok
	}
}

// eventsWatched leaves holes to the engine's own reading.
func (e *Engine) eventsWatched(f *feed) func(context.Context, laneBatch) bool {
	return func(ctx context.Context, b laneBatch) bool {
		e.progress.watch.set(b.next, b.ns)
		return e.watch.take(ctx, f.lane, f.taken(), b.next, b.ns)
	}
}

func (e *Engine) feed(lane journal.LaneName) *feed {
	return &feed{lane: lane, spec: e.rules.watch, world: e.ports.world, log: e.ports.log}
}
