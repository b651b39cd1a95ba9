package registry

import (
	"strconv"
	"strings"
	"time"
)

// Place is where devices stand: a sorting point (投放点) or a garage, with the hours in which it is open.
type Place struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Area  string   `json:"area,omitempty"` // Area.ID
	Lat   *float64 `json:"lat,omitempty"`  // WGS-84
	Lon   *float64 `json:"lon,omitempty"`
	Hours string   `json:"hours,omitempty"` // "05:30-20:30" or several with ; between, Shanghai time; "" = always open
}

// Equal compares what the registry says of two places.
func (p Place) Equal(o Place) bool {
	samePosition := equalFloat(p.Lat, o.Lat) && equalFloat(p.Lon, o.Lon)
	p.Lat, p.Lon, o.Lat, o.Lon = nil, nil, nil, nil
	return samePosition && p == o
}

// Open reports whether the place is open at t. A range includes its first minute and not its last; one that ends before it
// begins goes on past midnight. Shanghai keeps UTC+8 all year.
func (p Place) Open(t time.Time) bool {
	if p.Hours == "" {
		return true
	}
	const day = 24 * 60
	minute := int((t.Unix()/60 + 8*60) % day)
	for r := range strings.SplitSeq(p.Hours, ";") {
		from, to, ok := parseHours(r)
		switch {
		case !ok:
			return true // never registered so
		case from < to && from <= minute && minute < to:
			return true
		case from > to && (from <= minute || minute < to):
			return true
		}
	}
	return false
}

// wantHours says what hours look like.
const wantHours = "HH:MM-HH:MM, several with ; between, at most 256 bytes; 00:00-24:00 is all day"

// validHours reports whether s can be read by Open.
func validHours(s string) bool {
	if s == "" {
		return true
	}
	for r := range strings.SplitSeq(s, ";") {
		if _, _, ok := parseHours(r); !ok {
			return false
		}
	}
	return len(s) <= 256
}

// parseHours reads one range, as minutes of the day. 24:00 may only end it.
func parseHours(s string) (from, to int, ok bool) {
	first, last, _ := strings.Cut(strings.TrimSpace(s), "-")
	from, okFrom := parseMinute(first)
	to, okTo := parseMinute(last)
	return from, to, okFrom && okTo && from != to && from < 24*60
}

func parseMinute(s string) (int, bool) {
	if len(s) != len("00:00") || s[2] != ':' {
		return 0, false
	}
	hour, err1 := strconv.ParseUint(s[:2], 10, 8)
	minute, err2 := strconv.ParseUint(s[3:], 10, 8)
	ok := err1 == nil && err2 == nil && minute < 60 && (hour < 24 || hour == 24 && minute == 0)
	return int(hour)*60 + int(minute), ok
}
