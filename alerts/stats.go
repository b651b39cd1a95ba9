package alerts

import "sync/atomic"

// Stats of an engine since its start.
type Stats struct {
	Steps       uint64 // committed
	Transitions uint64 // committed
	Duplicates  uint64 // redeliveries of messages already counted
	Retained    uint64 // a bridge's retained copies, raising nothing
	Undecodable uint64 // messages put aside for the maintainer
	Gaps        uint64 // holes in a lane
	Retries     uint64 // appends tried again
}

// counters are the live form of Stats.
type counters struct {
	steps, transitions, duplicates, retained, undecodable, gaps, retries atomic.Uint64
}

func (c *counters) stats() Stats {
	return Stats{
		Steps: c.steps.Load(), Transitions: c.transitions.Load(), Duplicates: c.duplicates.Load(),
		Retained: c.retained.Load(), Undecodable: c.undecodable.Load(), Gaps: c.gaps.Load(), Retries: c.retries.Load(),
	}
}
