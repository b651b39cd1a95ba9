package telemetry

import (
	"strconv"
	"strings"
)

// FieldError says which field of a payload was wrong, what was expected and what was found.
type FieldError struct{ Field, Want, Got string }

func (e *FieldError) Error() string {
	return e.Field + ": want " + e.Want + ", got " + e.Got
}

// FieldErrors are several faults of one payload, in the order of the payload. errors.As finds the first as a *FieldError.
type FieldErrors []*FieldError

// maxFieldErrors bounds what one payload can make the hub remember.
const maxFieldErrors = 16

func (es FieldErrors) Error() string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap gives the faults to errors.Is and errors.As.
func (es FieldErrors) Unwrap() []error {
	errs := make([]error, len(es))
	for i, e := range es {
		errs[i] = e
	}
	return errs
}

// payloadField names the payload as a whole.
const payloadField = "payload"

// What was found, where it is not one of the kinds of a value.
const (
	gotNothing   = "nothing"
	gotTwice     = "it twice"
	gotEmpty     = "an empty one"
	gotUTF8      = "text that is not UTF-8"
	gotControl   = "a control character"
	gotTruncated = "the end of the payload"
)

// fieldName gives a name from a payload in a form that is safe in a log, at most 32 bytes and two quotes.
func fieldName(raw []byte) string {
	const longest = 32
	if len(raw) > 0 && len(raw) <= longest && validMetricName(raw) {
		return string(raw)
	}
	quoted := strconv.QuoteToASCII(string(raw[:min(len(raw), longest)]))
	return quoted[:min(len(quoted), longest)]
}

// index prefixes the field of an element of an array.
func index(i int, field string) string { return "[" + strconv.Itoa(i) + "]." + field }
