package telemetry

import (
	"strconv"

	"watchhouse/telemetry/scan"
)

// maxPayload is more than the broker lets through; it bounds the work when something else feeds the decoders.
const maxPayload = 1 << 20

// open checks the size of a payload and steps to its JSON.
func open(p []byte) (scan.Scanner, *FieldError) {
	if len(p) > maxPayload {
		return scan.Scanner{}, fault(payloadField, "at most "+strconv.Itoa(maxPayload)+" bytes", strconv.Itoa(len(p)))
	}
	s := scan.Open(p)
	if s.Empty() {
		return s, fault(payloadField, "JSON", gotEmpty)
	}
	return s, nil
}

// openObject opens a payload that must be one object and steps into it.
func openObject(p []byte) (scan.Scanner, *FieldError) {
	s, err := open(p)
	if err == nil && !s.Take('{') {
		v := s.Value()
		err = fault(payloadField, "a JSON object", v.Shape.String())
	}
	return s, err
}

// eachMember gives the members of an object that the scanner stands in, but for those that are null. The error is that the payload
// is cut.
func eachMember(s *scan.Scanner, do func(name []byte, v scan.Value)) *FieldError {
	for {
		name, v, more, err := s.Member()
		if err != nil || !more {
			return err
		}
		if v.Shape != scan.Null {
			do(name, v)
		}
	}
}
