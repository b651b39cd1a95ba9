package telemetry

import (
	"bytes"
	"strconv"
)

// maxPayload is more than the broker lets through; it bounds the work when something else feeds the decoders.
const maxPayload = 1 << 20

// open checks the size of a payload and skips what C firmware puts around it.
func open(p []byte) (scanner, *FieldError) {
	if len(p) > maxPayload {
		return scanner{}, &FieldError{payloadField, "at most " + strconv.Itoa(maxPayload) + " bytes", strconv.Itoa(len(p))}
	}
	p = bytes.TrimPrefix(p, []byte("\xef\xbb\xbf"))
	p = bytes.TrimRight(p, "\x00")
	s := scanner{p: p}
	if s.peek(); s.i >= len(p) {
		return s, &FieldError{payloadField, "JSON", gotEmpty}
	}
	return s, nil
}

// openObject opens a payload that must be one object and steps into it.
func openObject(p []byte) (scanner, *FieldError) {
	s, err := open(p)
	if err == nil && !s.take('{') {
		err = &FieldError{payloadField, "a JSON object", s.value().shape.String()}
	}
	return s, err
}

// close checks that nothing follows the payload's value.
func (s *scanner) close() *FieldError {
	if s.peek(); s.i < len(s.p) {
		return &FieldError{payloadField, "nothing after the JSON value", "more bytes"}
	}
	return nil
}

// member reads the next member of the object that the scanner stands in; more is false at its end. An error means that the
// text is broken and cannot be read further; it names the member in which it broke.
func (s *scanner) member(first bool) (key []byte, v value, more bool, err *FieldError) {
	if s.take('}') {
		return nil, v, false, nil
	}
	return s.nextMember(first)
}

func (s *scanner) nextMember(first bool) (key []byte, v value, more bool, err *FieldError) {
	if !first && !s.take(',') {
		return nil, v, false, s.broken("a comma or a closing brace")
	}
	if s.peek() != '"' {
		return nil, v, false, s.broken("a field name in double quotes")
	}
	k := s.str()
	if k.shape != isString {
		return nil, v, false, &FieldError{payloadField, "a field name in double quotes", k.shape.String()}
	}
	if !s.take(':') {
		return nil, v, false, s.brokenAt(fieldName(k.raw), "a colon and a value")
	}
	v = s.value()
	if s.i >= len(s.p) { // inside an object every value is followed by something: this one was cut short
		v.shape = isNothing
	}
	if v.shape == isNothing || v.shape == isBroken {
		return nil, v, false, &FieldError{fieldName(k.raw), "a JSON value", v.shape.String()}
	}
	return k.raw, v, true, nil
}

func (s *scanner) broken(want string) *FieldError { return s.brokenAt(payloadField, want) }

func (s *scanner) brokenAt(field, want string) *FieldError {
	got := isBroken.String()
	if s.i >= len(s.p) {
		got = gotTruncated
	}
	return &FieldError{field, want, got}
}
