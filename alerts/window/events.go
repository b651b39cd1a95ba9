package window

import "slices"

// keptEvents bounds what is counted: "thirty-two or more" is enough for any rule.
const keptEvents = 32

// Events are the latest events of one type.
type Events struct {
	Times []int64  // Unix ms, in order
	IDs   []string // identities beside them, "" = none
}

// Add takes an event unless one of the same identity is remembered.
func (e *Events) Add(at int64, id string) {
	if id != "" && slices.Contains(e.IDs, id) {
		return
	}
	n := len(e.Times)
	for n > 0 && e.Times[n-1] > at {
		n--
	}
	e.Times, e.IDs = slices.Insert(e.Times, n, at), slices.Insert(e.IDs, n, id)
	if over := len(e.Times) - keptEvents; over > 0 {
		e.Times, e.IDs = slices.Delete(e.Times, 0, over), slices.Delete(e.IDs, 0, over)
	}
}

// Count is how many lie after since and not after now, Unix ms.
func (e *Events) Count(since, now int64) int {
	n := 0
	for _, at := range e.Times {
		if since < at && at <= now {
			n++
		}
	}
	return n
}
