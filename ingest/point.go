package ingest

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// measurement is the one measurement of the bucket. The two fields beside a reading's own say that the device's time was not
// believed, and how many seconds late the reading arrived.
const (
	measurement   = "telemetry"
	clockBadField = "clock_bad"
	lateField     = "late_s"
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
	late               float64 // seconds; 0 = in time
	metrics            []telemetry.Metric
	from               *journal.Entry
	index              int // place in the payload
}

// storable reports whether a metric's name can be a field: printable, and no name with a meaning of its own in the database.
func storable(name string) bool {
	const longest = 128
	switch name {
	case "", "time", clockBadField, lateField, tagArea, tagDevice, tagKind:
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
	switch field {
	case clockBadField:
		ok, p.clockBad = p.clockBad, false
		return p, ok
	case lateField:
		ok, p.late = p.late != 0, 0
		return p, ok
	}
	at := slices.IndexFunc(p.metrics, func(m telemetry.Metric) bool { return m.Name == field })
	if at < 0 {
		return p, false
	}
	p.metrics = slices.Delete(slices.Clone(p.metrics), at, at+1)
	return p, true
}
