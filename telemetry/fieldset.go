package telemetry

import "watchhouse/telemetry/scan"

// fieldSet remembers which of the named fields were met, so that none counts twice.
type fieldSet uint8

const (
	fieldType fieldSet = 1 << iota
	fieldTS
	fieldBoot
	fieldSeq
	fieldAssignment
	fieldID
	fieldResult
	fieldReason
)

func (s fieldSet) has(f fieldSet) bool { return s&f != 0 }

// add notes a field; meeting it again is a fault.
func (s *fieldSet) add(f fieldSet, name string) *FieldError {
	if s.has(f) {
		return fault(name, "the field once", gotTwice)
	}
	*s |= f
	return nil
}

// stampField decodes ts once. A repeated one is dropped with the first: neither can be believed.
func stampField(seen *fieldSet, v scan.Value) (*int64, *FieldError) {
	if err := seen.add(fieldTS, "ts"); err != nil {
		return nil, err
	}
	n, err := millis(v, "ts")
	if err != nil {
		return nil, err
	}
	return &n, nil
}

// countField decodes boot or seq once; a repeated one is dropped with the first.
func countField(seen *fieldSet, f fieldSet, name string, v scan.Value) (*uint32, *FieldError) {
	if err := seen.add(f, name); err != nil {
		return nil, err
	}
	n, err := count(v, name)
	if err != nil {
		return nil, err
	}
	return &n, nil
}
