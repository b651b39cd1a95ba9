package telemetry

import (
	"strconv"
	"strings"

	"watchhouse/telemetry/scan"
)

// FieldError says which field of a payload was wrong, what was expected and what was found.
type FieldError = scan.FieldError

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

// add notes a fault, nil being none.
func (es *FieldErrors) add(e *FieldError) {
	if e != nil && len(*es) < maxFieldErrors {
		*es = append(*es, e)
	}
}

// err is the faults as an error, nil without any.
func (es FieldErrors) err() error {
	if len(es) == 0 {
		return nil
	}
	return es
}

// What a fault names.
const (
	payloadField = scan.Payload
	gotNothing   = scan.GotNothing
	gotTwice     = scan.GotTwice
	gotEmpty     = scan.GotEmpty
	gotControl   = "a control character"
)

// index prefixes the field of an element of an array.
func index(i int, field string) string { return "[" + strconv.Itoa(i) + "]." + field }

func fault(field, want, got string) *FieldError {
	return &FieldError{Field: field, Want: want, Got: got}
}
