package profile

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"watchhouse/telemetry"
)

// maxWord is the longest text that can be a word of a table.
const maxWord = 64

// word gives a scalar as a word: lower case, blanks for _ and -, numbers in their shortest form. ok is false for what is no
// scalar, or too long.
func word(v any) (w string, ok bool) {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return "", false
		}
		return strconv.FormatFloat(f, 'g', -1, 64), true
	case string:
		return tidyWord(v), len(v) <= maxWord
	}
	return "", false
}

var separators = strings.NewReplacer("_", " ", "-", " ")

func tidyWord(s string) string { return separators.Replace(strings.ToLower(strings.TrimSpace(s))) }

const wantNumber = "a number"

// number gives a scalar as a number: numbers, numbers in quotes, and 0 or 1 for booleans however written.
func number(v any) (float64, bool) {
	var text string
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case json.Number:
		text = v.String()
	case string:
		if len(v) > maxWord {
			return 0, false
		}
		text = strings.TrimSpace(v)
		switch strings.ToLower(text) {
		case "true":
			return 1, true
		case "false":
			return 0, true
		}
		if strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune("0123456789+-.eE", r) }) {
			return 0, false // what ParseFloat takes beyond decimals: inf, nan, hexadecimal
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && !math.IsInf(f, 0)
}

// shapeOf names the kind of thing a value is, never the value.
func shapeOf(v any) string {
	switch v := v.(type) {
	case spoilt:
		return string(v)
	case nil:
		return "nothing"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	}
	return "an object"
}

// stamp reads a time in Unix ms. A number that cannot be one is cut to the range of int64, for EffectiveTime to judge.
func stamp(v any, form TimeForm) (int64, *telemetry.FieldError) {
	if layout := map[TimeForm]string{TimeRFC3339: time.RFC3339Nano, TimeBasic: "20060102T150405Z"}[form]; layout != "" {
		text, _ := v.(string)
		t, err := time.Parse(layout, text)
		if err != nil {
			return 0, fault("", "a time as the profile says", shapeOf(v))
		}
		return t.UnixMilli(), nil
	}
	f, ok := number(v)
	if _, isBool := v.(bool); !ok || isBool {
		return 0, fault("", "a Unix time", shapeOf(v))
	}
	if form == TimeUnixS {
		f *= 1000
	}
	return int64(min(max(f, math.MinInt64), math.MaxInt64-1023)), nil // the last float64 below 2^63
}
