package ingest

import (
	"math"
	"time"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

const (
	nsPerUS = 1_000
	nsPerMS = 1_000_000
	// bootStride keeps the numbers of two boots apart: it has no factor in common with nsPerMS.
	bootStride = 500_009
)

// stamper gives the readings of one message their times, by nothing but what the journal holds (package comment). The rules
// must not change: a replay by a later version has to overwrite what this one wrote.
type stamper struct {
	from     *journal.Entry
	identity string           // of a foreign message, "" when it has none
	taken    map[int64]uint64 // which reading has which time; nil for a lone reading
}

func newStamper(e *journal.Entry, identity string, readings int) stamper {
	s := stamper{from: e, identity: identity}
	if readings > 1 {
		s.taken = make(map[int64]uint64, readings)
	}
	return s
}

// time gives the time of the reading at index. Call it in the order of the payload.
func (s *stamper) time(r *telemetry.Reading, index int) (ns int64, clockBad bool) {
	ms, clockBad := telemetry.EffectiveTime(r.TS, s.from.ReceivedNS)
	if r.TS == nil || clockBad {
		us := s.from.ReceivedNS/nsPerUS + int64(index)
		return us*nsPerUS + int64(s.from.ID%nsPerUS), clockBad
	}
	return s.free(ms*nsPerMS, r, index), false
}

// free gives the reading's nanosecond of a millisecond: by its number, else by what identifies it. One that another reading of
// the message has is left for the latter, and if that is taken too passed over, so that neither overwrites the other; the same
// reading twice in a message is one.
func (s *stamper) free(start int64, r *telemetry.Reading, index int) int64 {
	numbered := r.Seq != nil
	if s.taken == nil && numbered {
		return start + numberOffset(r)
	}
	sum := s.sum(r, index)
	offset := int64(sum % nsPerMS)
	if s.taken == nil {
		return start + offset
	}
	at := start + offset
	if numbered {
		at = start + numberOffset(r)
	}
	for !s.take(at, sum) {
		if !numbered {
			offset = (offset + 1) % nsPerMS
		}
		at, numbered = start+offset, false
	}
	return at
}

// take reports whether the reading of that sum may have a nanosecond, and notes that it has.
func (s *stamper) take(at int64, sum uint64) bool {
	if other, ok := s.taken[at]; ok && other != sum {
		return false
	}
	s.taken[at] = sum
	return true
}

// numberOffset is seq; with a boot it is another number for each, as a device whose clock stands still begins again at the
// same seq.
func numberOffset(r *telemetry.Reading) int64 {
	offset := int64(*r.Seq)
	if r.Boot != nil {
		offset += (int64(*r.Boot) + 1) * bootStride
	}
	return offset % nsPerMS
}

// sum identifies a reading without a number: by its message's identity and its place, which hold when the profile is mended
// and the message read again, else by what it says, which holds in whatever array it comes.
func (s *stamper) sum(r *telemetry.Reading, index int) uint64 {
	f := newFNV()
	if s.identity != "" {
		f.text(s.identity)
		f.number(uint64(index))
		return f.sum
	}
	if r.Boot != nil {
		f.number(uint64(*r.Boot) + 1)
	}
	for _, m := range r.Metrics {
		f.text(m.Name)
		f.number(math.Float64bits(m.Value))
	}
	return f.sum
}

// fnv is the 64-bit FNV-1a sum.
type fnv struct{ sum uint64 }

const fnvPrime = 1099511628211

func newFNV() fnv { return fnv{14695981039346656037} }

func (f *fnv) text(s string) {
	for n := range len(s) {
		f.sum = (f.sum ^ uint64(s[n])) * fnvPrime
	}
}

func (f *fnv) number(v uint64) {
	for range 8 {
		f.sum = (f.sum ^ v&0xff) * fnvPrime
		v >>= 8
	}
}

// lateMargin is how late a reading may arrive before it is marked, whatever its device's report interval.
const lateMargin = 10 * time.Minute

// lateness is how long after its time a reading arrived, in seconds, or 0 when that is usual for its device: a message has
// waited in the device or on its way.
func lateness(ns int64, e *journal.Entry, interval time.Duration) float64 {
	late := time.Duration(e.ReceivedNS/nsPerMS-ns/nsPerMS) * time.Millisecond
	if late <= max(lateMargin, 2*interval) {
		return 0
	}
	return late.Seconds()
}
