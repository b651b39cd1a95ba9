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
	return []*reader{
		{
			name: journal.EventLane, lane: e.ports.event, pos: eventPos, ns: eventNS, log: e.ports.log,
			want: everything, take: sendTo(e.events),
		},
		{
			name: journal.StateLane, lane: e.ports.state, pos: statePos, ns: stateNS, log: e.ports.log,
			want: func(x *journal.Entry) bool { e.seen.mark(x); return wantState(x) }, take: sendTo(e.states),
		},
		{
			name: journal.TelemetryLane, lane: e.ports.telemetry, pos: telePos, ns: teleNS, log: e.ports.log,
			want: func(x *journal.Entry) bool { e.seen.mark(x); return false }, take: e.telemetryRead,
		},
	}
}

// telemetryRead never waits for the engine, except to report a hole.
func (e *Engine) telemetryRead(ctx context.Context, b laneBatch) bool {
	ok := true
	if b.gap != nil {
		ok = sendTo(e.gaps)(ctx, b)
	}
	e.progress.telemetry.set(b.next, b.ns)
	return ok
}
