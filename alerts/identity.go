package alerts

import (
	"maps"
	"slices"
	"time"

	"watchhouse/telemetry"
)

// sameTS is how far the device's own times of two messages of one identity may lie apart: a redelivery repeats its time,
// a device whose counters began again after a reset does not.
const sameTS = 10 * time.Minute

// untimed is how long an identity holds where a message has no time of its own: longer than a bridge or a device keeps trying,
// and short enough that a button without a clock, whose counters begin again, is not dropped when it is pressed again.
const untimed = 10 * time.Minute

// knows reports whether the ledger, or this step, has counted the message before, under any of its identities.
func (x *draft) knows(c call) bool {
	if len(c.identities) == 0 {
		return false
	}
	return slices.ContainsFunc(x.seenOf(c.seenBy()), func(s identity) bool {
		return slices.Contains(c.identities, s.ID) && s.At+seenFor > x.book.now && s.sameMessage(stamp(c.event.TS), c.received)
	})
}

// sameMessage tells a redelivery from a new message under an old identity, by the devices' own times or, where one of the two
// has none, by receipt.
func (s identity) sameMessage(ts, received int64) bool {
	if s.TS == 0 || ts == 0 {
		return received-s.At <= untimed.Milliseconds()
	}
	return max(ts, s.TS)-min(ts, s.TS) <= sameTS.Milliseconds()
}

// stamp is a device's own time in Unix ms, 0 when it has none: a clock that was never set counts from 1970 after each reset.
func stamp(ts *int64) int64 {
	if ts == nil || *ts < telemetry.EarliestMS {
		return 0
	}
	return *ts
}

// forgetIdentities drops those of devices that have not been heard for as long as an identity is kept. Nothing looks at them any more.
func (b *book) forgetIdentities() {
	maps.DeleteFunc(b.seen, func(_ string, list []identity) bool {
		return len(list) == 0 || list[len(list)-1].At+seenFor <= b.now
	})
}
