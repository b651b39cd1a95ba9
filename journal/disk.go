package journal

import (
	"fmt"
	"sync/atomic"

	"watchhouse/journal/engine"
)

// diskGuard keeps bulk.db from taking the last of the disk. Every write of it is admitted before it begins, so that nothing of it can
// grow into what the reserve gives up for life, whenever that happens.
type diskGuard struct {
	dir     string
	reserve *reserve
	left    atomic.Int64 // free space as last seen
	known   atomic.Bool  // that it was
	stopped atomic.Bool  // bulk waits for space
}

// unlimited is beyond any disk, and small enough to be added to.
const unlimited = 1 << 60

// floor is what bulk leaves free: a quarter of the reserve, and while any of it is missing what is needed to make it whole again, so
// that telemetry does not take the space that returns.
func (d *diskGuard) floor() int64 {
	return d.reserve.size/4 + d.reserve.needed()
}

// admit is asked before bulk.db grows by so many bytes. Once it has said no it does so until there is twice the room.
func (d *diskGuard) admit(bytes int64) error {
	left, ok := d.look()
	if !ok {
		return nil // the write itself will tell
	}
	need := d.floor() + bytes + bytes/4
	if d.stopped.Load() {
		need += d.reserve.size / 4
	}
	d.stopped.Store(left < need)
	if left < need {
		return fmt.Errorf("%w: %d bytes are free, %d are kept for life.db", engine.ErrNoSpace, left, d.floor())
	}
	return nil
}

// look measures the free space; false when nothing is kept, or it cannot be known.
func (d *diskGuard) look() (left int64, ok bool) {
	if d.reserve.size == 0 {
		return 0, false
	}
	left, err := freeSpace(d.dir)
	if err != nil {
		return 0, false
	}
	d.left.Store(left)
	d.known.Store(true)
	return left, true
}

// room is how many bytes bulk.db may still grow by.
func (d *diskGuard) room() int64 {
	if !d.known.Load() {
		return unlimited
	}
	return max(d.left.Load()-2*d.floor(), 0)
}
