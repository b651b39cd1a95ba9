package telemetry

import (
	"math"
	"strconv"
	"strings"

	"watchhouse/telemetry/scan"
)

const (
	wantMillis = "a whole number of Unix milliseconds"
	wantUint32 = "a whole number from 0 to 4294967295"
	wantNumber = "a number or a boolean"
	wantText   = "a string of 1 to 64 printable characters"
)

// text decodes a short string that may be shown to people and compared: UTF-8, no control characters, 1 to 64 bytes.
func text(v scan.Value, field string) (string, *FieldError) {
	s, wrong := v.Text()
	switch {
	case wrong != "":
		return "", fault(field, wantText, wrong)
	case s == "":
		return "", fault(field, wantText, gotEmpty)
	case len(s) > maxID:
		return "", fault(field, wantText, "a string of "+strconv.Itoa(len(s))+" bytes")
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }):
		return "", fault(field, wantText, gotControl)
	}
	return s, nil
}

// millis decodes a time; a number beyond int64 is cut to its range, so that it is a bad time and not a bad payload.
func millis(v scan.Value, field string) (int64, *FieldError) {
	f, err := whole(v, field, wantMillis)
	switch {
	case err != nil:
		return 0, err
	case f >= math.MaxInt64:
		return math.MaxInt64, nil
	case f <= math.MinInt64:
		return math.MinInt64, nil
	}
	if n, err := strconv.ParseInt(string(v.Raw), 10, 64); err == nil {
		return n, nil
	}
	return int64(f), nil
}

func count(v scan.Value, field string) (uint32, *FieldError) {
	f, err := whole(v, field, wantUint32)
	if err != nil {
		return 0, err
	}
	if f < 0 || f > math.MaxUint32 {
		return 0, fault(field, wantUint32, "a number out of range")
	}
	return uint32(f), nil
}

// whole decodes a number without a fraction.
func whole(v scan.Value, field, want string) (float64, *FieldError) {
	if v.Shape != scan.Number {
		return 0, fault(field, want, v.Shape.String())
	}
	f, err := strconv.ParseFloat(string(v.Raw), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, fault(field, want, scan.Broken.String())
	}
	if f != math.Trunc(f) {
		return 0, fault(field, want, "a number with a fraction")
	}
	return f, nil
}

// metric decodes a number or a boolean.
func number(v scan.Value) (float64, *FieldError) {
	switch v.Shape {
	case scan.True:
		return 1, nil
	case scan.False:
		return 0, nil
	case scan.Number:
		f, err := strconv.ParseFloat(string(v.Raw), 64)
		if err != nil {
			return 0, fault("", wantNumber, "a number out of range")
		}
		return f, nil
	}
	return 0, fault("", wantNumber, v.Shape.String())
}
