package registry

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchhouse/telemetry"
)

func TestPlaceIsOpen(t *testing.T) {
	at := func(clock string) time.Time {
		when, err := time.Parse("2006-01-02 15:04:05 -0700", "2026-02-28 "+clock+" +0800")
		check(t, err)
		return when.UTC()
	}
	for _, tc := range []struct {
		hours, open, closed string
	}{
		{"", "00:00:00 12:00:00 23:59:59", ""},
		{"05:30-20:30", "05:30:00 12:00:00 20:29:59", "05:29:59 20:30:00 00:00:00"},
		{"06:00-09:00;18:00-20:30", "06:00:00 08:59:59 18:00:00", "05:59:59 09:00:00 17:59:59 20:30:00"},
		{"06:00-09:00 ; 18:00-20:30", "08:00:00 19:00:00", "12:00:00"},
		{"22:00-06:00", "22:00:00 23:59:59 00:00:00 05:59:59", "06:00:00 12:00:00 21:59:59"},
		{"00:00-24:00", "00:00:00 12:00:00 23:59:59", ""},
		{"22:00-24:00", "22:00:00 23:59:59", "00:00:00 21:59:59"},
		{"22:00-00:00", "22:00:00 23:59:59", "00:00:00 21:59:59"},
	} {
		if !validHours(tc.hours) {
			t.Errorf("%q is refused", tc.hours)
		}
		p := Place{Hours: tc.hours}
		for clock := range strings.FieldsSeq(tc.open) {
			if !p.Open(at(clock)) {
				t.Errorf("%q is closed at %s", tc.hours, clock)
			}
		}
		for clock := range strings.FieldsSeq(tc.closed) {
			if p.Open(at(clock)) {
				t.Errorf("%q is open at %s", tc.hours, clock)
			}
		}
	}
}

func TestHoursAreRefused(t *testing.T) {
	for _, hours := range []string{
		"x", "05:30", "5:30-20:30", "05:30-20:30;", ";05:30-20:30", "05:30–20:30", "24:00-05:00", "05:60-06:00", "05:00-24:01", "+5:00-06:00",
		"05:00-05:00", "05:30-20:30,21:00-22:00", "05:30-20:30；21:00-22:00", "05:30-20:30-21:00", "05.30-20.30", strings.Repeat("05:30-20:30;", 30) + "05:30-20:30",
	} {
		if validHours(hours) {
			t.Errorf("%q is accepted", hours)
		}
	}
}

// Whatever ranges a place has, it is open in the minutes that any of them names, and in no other.
func TestOpenIsTheUnionOfTheRanges(t *testing.T) {
	clock := func(minute int) string {
		return time.Unix(int64(minute)*60, 0).UTC().Format("15:04")
	}
	midnight := time.Date(2026, 7, 1, 0, 0, 0, 0, time.FixedZone("", 8*3600))
	rapid.Check(t, func(rt *rapid.T) {
		open := map[int]bool{}
		var ranges []string
		for range rapid.IntRange(1, 4).Draw(rt, "ranges") {
			from := rapid.IntRange(0, 24*60-1).Draw(rt, "from")
			length := rapid.IntRange(1, 24*60-1).Draw(rt, "length")
			for i := range length {
				open[(from+i)%(24*60)] = true
			}
			ranges = append(ranges, clock(from)+"-"+clock((from+length)%(24*60)))
		}
		p := Place{Hours: strings.Join(ranges, ";")}
		for minute := range 24 * 60 {
			if got := p.Open(midnight.Add(time.Duration(minute) * time.Minute)); got != open[minute] {
				rt.Fatalf("%s at minute %d: open %v, want %v", p.Hours, minute, got, open[minute])
			}
		}
	})
}

func FuzzHours(f *testing.F) {
	f.Fuzz(func(t *testing.T, hours string, unix int64) {
		p := Place{Hours: hours}
		open := p.Open(time.Unix(unix, 0))
		if hours == "" && !open {
			t.Error("a place without hours is closed")
		}
		if !validHours(hours) || hours == "" {
			return
		}
		always := true
		for minute := range int64(24 * 60) {
			always = always && p.Open(time.Unix(minute*60, 0))
		}
		if !open && always {
			t.Errorf("%q is open every minute of a day and closed at %d", hours, unix)
		}
	})
}

func TestPlaceRules(t *testing.T) {
	r := openTest(t)
	lat, lon, far := 31.25, 121.58, 91.0
	mustPut(t, r, nil, Device{ID: "early", Kind: telemetry.SortingPoint, Place: "later"}) // no place is registered yet
	check(t, r.PutAreas(t.Context(), "t", []Area{{ID: "a1", Name: "x"}}))
	for field, p := range map[string]Place{
		"id": {ID: "a b", Name: "x"}, "name": {ID: "p"}, "area": {ID: "p", Name: "x", Area: "nowhere"}, "hours": {ID: "p", Name: "x", Hours: "8-9"},
		"lat": {ID: "p", Name: "x", Lat: &far, Lon: &lon}, "lon": {ID: "p", Name: "x", Lat: &lat, Lon: func() *float64 { f := 181.0; return &f }()},
	} {
		err := r.PutPlaces(t.Context(), "t", []Place{{ID: "ok", Name: "x"}, p})
		if invalid, ok := errors.AsType[*InvalidError](err); !ok || invalid.Field != field || len(r.View().Places()) != 0 {
			t.Errorf("error %v and %d places, want a refusal of all that names %s", err, len(r.View().Places()), field)
		}
	}
	if err := r.PutPlaces(t.Context(), "t", []Place{{ID: "half", Name: "x", Lat: &lat}}); err == nil {
		t.Error("half a position was accepted")
	}
	want := Place{ID: "p1", Name: "洪安小区投放点", Area: "a1", Lat: &lat, Lon: &lon, Hours: "05:30-20:30"}
	check(t, r.PutPlaces(t.Context(), "t", []Place{{ID: "p1", Name: " 洪安小区投放点 ", Area: "a1", Lat: &lat, Lon: &lon, Hours: " 05:30-20:30 "}}))
	if got, ok := r.View().Place("p1"); !ok || !cmp.Equal(want, got) {
		t.Errorf("the place is %+v, want %+v", got, want)
	}
	if _, err := r.PutDevices(t.Context(), "t", []Device{{ID: "d", Kind: telemetry.SortingPoint, Place: "nowhere"}}, nil); err == nil {
		t.Error("an unknown place was accepted")
	}
	mustPut(t, r, nil, Device{ID: "early", Kind: telemetry.SortingPoint, Place: "later", Name: "renamed"}) // keeps what it had
	mustPut(t, r, nil, Device{ID: "d", Kind: telemetry.SortingPoint, Place: "p1"})
	for name, err := range map[string]error{"place": r.DeletePlace(t.Context(), "t", "p1"), "area": r.DeleteArea(t.Context(), "t", "a1")} {
		if !errors.Is(err, ErrInUse) {
			t.Errorf("deleting a %s in use: %v, want ErrInUse", name, err)
		}
	}
	check(t, r.DeleteDevice(t.Context(), "t", "d"))
	check(t, r.DeletePlace(t.Context(), "t", "p1"))
	if err := r.DeletePlace(t.Context(), "t", "p1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleting it twice: %v, want ErrNotFound", err)
	}
}
