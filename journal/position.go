package journal

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Position is where reading goes on: the entry at Index of frame Frame. The zero value is the beginning. Opaque outside.
// The end of a frame is an index equal to its count, so that a reader that goes on from there can check the numbers.
type Position struct {
	Frame uint64
	Index uint32
}

// String gives the text form used by tools and cursors: "frame.index".
func (p Position) String() string {
	return strconv.FormatUint(p.Frame, 10) + "." + strconv.FormatUint(uint64(p.Index), 10)
}

// ParsePosition reads what String wrote.
func ParsePosition(s string) (Position, error) {
	frame, index, ok := strings.Cut(s, ".")
	f, ferr := strconv.ParseUint(frame, 10, 64)
	i, ierr := strconv.ParseUint(index, 10, 32)
	if !ok || ferr != nil || ierr != nil {
		return Position{}, fmt.Errorf("position %q: want FRAME.INDEX", s)
	}
	return Position{Frame: f, Index: uint32(i)}, nil
}

// Compare orders positions of one lane.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Frame, q.Frame), cmp.Compare(p.Index, q.Index))
}
