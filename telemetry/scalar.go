package telemetry

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	wantMillis = "a whole number of Unix milliseconds"
	wantUint32 = "a whole number from 0 to 4294967295"
	wantNumber = "a number or a boolean"
	wantText   = "a string of 1 to 64 printable characters"
)

// text decodes a short string that may be shown to people and compared: UTF-8, no control characters, 1 to 64 bytes.
func (v value) text(field string) (string, *FieldError) {
	if v.shape != isString {
		return "", &FieldError{field, wantText, v.shape.String()}
	}
	s, ok := v.unquote()
	switch {
	case !ok:
		return "", &FieldError{field, wantText, gotUTF8}
	case s == "":
		return "", &FieldError{field, wantText, gotEmpty}
	case len(s) > maxID:
		return "", &FieldError{field, wantText, "a string of " + strconv.Itoa(len(s)) + " bytes"}
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }):
		return "", &FieldError{field, wantText, gotControl}
	}
	return s, nil
}

// unquote gives the text of a string; false when it is not UTF-8.
func (v value) unquote() (string, bool) {
	if !utf8.Valid(v.raw) {
		return "", false
	}
	if bytes.IndexByte(v.raw, '\\') < 0 {
		return string(v.raw), true
	}
	quoted := make([]byte, 0, len(v.raw)+2)
	quoted = append(append(append(quoted, '"'), v.raw...), '"')
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return "", false
	}
	return s, true
}

// millis decodes a time; a number beyond int64 is cut to its range, so that it is a bad time and not a bad payload.
func (v value) millis(field string) (int64, *FieldError) {
	f, err := v.whole(field, wantMillis)
	switch {
	case err != nil:
		return 0, err
	case f >= math.MaxInt64:
		return math.MaxInt64, nil
	case f <= math.MinInt64:
		return math.MinInt64, nil
	}
	if n, err := strconv.ParseInt(string(v.raw), 10, 64); err == nil {
		return n, nil
	}
	return int64(f), nil
}

func (v value) uint32(field string) (uint32, *FieldError) {
	f, err := v.whole(field, wantUint32)
	if err != nil {
		return 0, err
	}
	if f < 0 || f > math.MaxUint32 {
		return 0, &FieldError{field, wantUint32, "a number out of range"}
	}
	return uint32(f), nil
}

// whole decodes a number without a fraction.
func (v value) whole(field, want string) (float64, *FieldError) {
	if v.shape != isNumber {
		return 0, &FieldError{field, want, v.shape.String()}
	}
	f, err := strconv.ParseFloat(string(v.raw), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, &FieldError{field, want, isBroken.String()}
	}
	if f != math.Trunc(f) {
		return 0, &FieldError{field, want, "a number with a fraction"}
	}
	return f, nil
}

// metric decodes a number or a boolean.
func (v value) metric() (float64, *FieldError) {
	switch v.shape {
	case isTrue:
		return 1, nil
	case isFalse:
		return 0, nil
	case isNumber:
		f, err := strconv.ParseFloat(string(v.raw), 64)
		if err != nil {
			return 0, &FieldError{Want: wantNumber, Got: "a number out of range"}
		}
		return f, nil
	}
	return 0, &FieldError{Want: wantNumber, Got: v.shape.String()}
}
