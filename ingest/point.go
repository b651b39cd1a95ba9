package ingest

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// measurement is the one measurement of the bucket; clockBad the field that says that the device's time was not believed.
const (
	measurement   = "telemetry"
	clockBadField = "clock_bad"
)

// The tags, in the order in which line protocol wants them.
const (
	tagArea   = "area"
	tagDevice = "device"
	tagKind   = "kind"
)

// point is one reading on its way to the database. metrics is not changed in place.
type point struct {
	area, device, kind string
	ns                 int64 // Unix
	clockBad           bool
	metrics            []telemetry.Metric
	from               *journal.Entry
	index              int // place in the payload
}

const (
	nsPerUS = 1_000
	nsPerMS = 1_000_000
)

// pointTime gives the time of the reading at index of e, by nothing but what the journal holds (package comment).
func pointTime(e *journal.Entry, r *telemetry.Reading, index int) (ns int64, clockBad bool) {
	ms, clockBad := telemetry.EffectiveTime(r.TS, e.ReceivedNS)
	if r.TS == nil || clockBad {
		us := e.ReceivedNS/nsPerUS + int64(index)
		return us*nsPerUS + int64(e.ID%nsPerUS), clockBad
	}
	offset := int64(index)
	if r.Seq != nil {
		offset = int64(*r.Seq)
	}
	return ms*nsPerMS + offset%nsPerMS, false
}

// storable reports whether a metric's name can be a field: printable, and no name with a meaning of its own in the database.
func storable(name string) bool {
	const longest = 128
	switch name {
	case "", "time", clockBadField, tagArea, tagDevice, tagKind:
		return false
	}
	return len(name) <= longest && name[0] != '_' && encodable(name)
}

// encodable reports whether line protocol can express a name or a tag's value.
func encodable(s string) bool {
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, control) && !strings.HasSuffix(s, `\`)
}

// tagValue is the value, or nothing when the tag has to be left out.
func tagValue(s string) string {
	if !encodable(s) {
		return ""
	}
	return s
}

// finite reports whether the database can store v.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// without gives the point less one field; ok is false when it does not have that field.
func (p point) without(field string) (rest point, ok bool) {
	if field == clockBadField {
		ok, p.clockBad = p.clockBad, false
		return p, ok
	}
	at := slices.IndexFunc(p.metrics, func(m telemetry.Metric) bool { return m.Name == field })
	if at < 0 {
		return p, false
	}
	p.metrics = slices.Delete(slices.Clone(p.metrics), at, at+1)
	return p, true
}
