package journal

import (
	"errors"
	"fmt"

	"watchhouse/journal/engine"
)

// Sentinel errors.
var (
	ErrLaneFull = errors.New("journal: lane is full")
	// ErrBusy comes with ErrLaneFull when it is full for now: too much waits for the disk.
	ErrBusy = errors.New("journal: too much waits for the disk")
	// ErrSenderFull is ErrLaneFull for one sender: it holds its share of the lane, others are taken.
	ErrSenderFull = fmt.Errorf("%w for this sender", ErrLaneFull)
	ErrTooLarge   = errors.New("journal: message is larger than a frame")
	ErrClosed     = errors.New("journal: closed")
	ErrConflict   = errors.New("journal: not the expected last number") // another writer appended: this one is no longer the leader
	ErrNotFound   = errors.New("journal: not found")
	ErrInUse      = errors.New("journal: data folder is in use") // exit code 3
	ErrNewer      = errors.New("journal: data folder has a newer schema")
	ErrDamaged    = errors.New("journal: data folder is damaged")
	// ErrUnavailable says that a file cannot be written (for now) or that bulk.db could not be opened.
	ErrUnavailable = errors.New("journal: not available")
)

// GapError reports entries that could not be read; Resume is where reading can go on. From is 1 when the number before the
// gap is unknown, since what preceded it is gone too.
type GapError struct {
	Lane     LaneName
	From, To uint64 // message numbers, inclusive
	Resume   Position
	Err      error
}

// Error names the lane and the range.
func (e *GapError) Error() string {
	return fmt.Sprintf("journal: gap in lane %s, messages %d to %d, reading resumes at %s: %v", e.Lane, e.From, e.To, e.Resume, e.Err)
}

// Unwrap gives the fault that caused the gap.
func (e *GapError) Unwrap() error { return e.Err }

// translate turns an engine's error into this package's.
func translate(err error) error {
	for _, t := range []struct{ from, to error }{
		{engine.ErrConflict, ErrConflict},
		{engine.ErrNotFound, ErrNotFound},
		{engine.ErrDamaged, ErrDamaged},
		{engine.ErrNewer, ErrNewer},
		{engine.ErrClosed, ErrClosed},
		{engine.ErrNoSpace, ErrUnavailable},
	} {
		if errors.Is(err, t.from) {
			return fmt.Errorf("%w: %w", t.to, err)
		}
	}
	return err
}
