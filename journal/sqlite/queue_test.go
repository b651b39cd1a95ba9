package sqlite

import (
	"testing"

	"watchhouse/journal/engine"
)

// Housekeeping waits for what is waited for, but not for ever: under a flood that never pauses a lane must be purged, too.
func TestAFloodDoesNotStarveTheHousekeeping(t *testing.T) {
	var q queue
	q.push(&op{priority: engine.Background})
	for n := range 2 * maxPassed {
		q.push(&op{priority: engine.Normal, size: 1})
		q.push(&op{priority: engine.Urgent, size: 1})
		group := q.take(1 << 20)
		if background := group[0].priority == engine.Background; background != (n == maxPassed) || background && len(group) != 1 {
			t.Fatalf("group %d is of priority %d and has %d ops", n, group[0].priority, len(group))
		}
	}
	if rest := q.take(1 << 20); len(rest) != 0 {
		t.Errorf("%d ops are left over", len(rest))
	}
}
