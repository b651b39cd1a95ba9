package profile

import (
	"encoding/json"
	"strconv"
	"strings"

	"watchhouse/telemetry"
	"watchhouse/telemetry/scan"
)

// The bounds of a payload.
const (
	maxPayload = 256 << 10
	maxDepth   = 32
	maxValues  = 16384
	maxRecords = 1024
	maxMetrics = 256 // of one reading
	maxFaults  = 16
)

const payloadField = scan.Payload

func fault(field, want, got string) *telemetry.FieldError {
	return &telemetry.FieldError{Field: field, Want: want, Got: got}
}

// spoilt stands in a tree for a value that cannot be read, and says what was found. It spoils the fields that read it, no others.
type spoilt string

// parse reads a payload into maps, slices, strings, json.Numbers, booleans and what is spoilt, with a bound on nesting and number.
// flaw tells of bytes that belonged to nothing; with err there is no tree.
func parse(p []byte) (root any, flaw, err *telemetry.FieldError) {
	if len(p) > maxPayload {
		return nil, nil, fault(payloadField, "at most "+strconv.Itoa(maxPayload)+" bytes", strconv.Itoa(len(p)))
	}
	t := treeReader{s: scan.Open(p)}
	if t.s.Empty() {
		return nil, nil, fault(payloadField, "JSON", "the end of the payload")
	}
	if root, err = t.value(0); err != nil {
		return nil, nil, err
	}
	if _, broken := root.(spoilt); broken {
		return nil, nil, fault(payloadField, "JSON", shapeOf(root))
	}
	t.s.Close()
	return root, t.s.Flaw(), nil
}

type treeReader struct {
	s      scan.Scanner
	values int
}

func (t *treeReader) value(depth int) (any, *telemetry.FieldError) {
	if t.values++; t.values > maxValues {
		return nil, fault(payloadField, "at most "+strconv.Itoa(maxValues)+" values", "more")
	}
	c := t.s.Peek()
	composite := c == '{' || c == '['
	switch {
	case composite && depth == maxDepth:
		return nil, fault(payloadField, "at most "+strconv.Itoa(maxDepth)+" levels of nesting", "more")
	case c == '{':
		return t.object(depth + 1)
	case c == '[':
		return t.array(depth + 1)
	}
	return t.scalar(depth)
}

// scalar reads what is no composite. Inside one it must be followed by something.
func (t *treeReader) scalar(depth int) (any, *telemetry.FieldError) {
	v := t.s.Value()
	if v.Shape == scan.Nothing || depth > 0 && !t.s.Settle(&v) {
		return nil, fault(payloadField, "JSON", scan.GotCut)
	}
	switch v.Shape {
	case scan.String:
		text, wrong := v.Text()
		if wrong != "" {
			return spoilt(wrong), nil
		}
		return text, nil
	case scan.Number:
		return json.Number(v.Raw), nil
	case scan.True, scan.False:
		return v.Shape == scan.True, nil
	case scan.Null:
		return nil, nil
	}
	return spoilt(v.Shape.String()), nil
}

// settle steps to what follows a composite.
func (t *treeReader) settle(depth int) *telemetry.FieldError {
	v := scan.Value{Shape: scan.Object}
	if depth > 1 && !t.s.Settle(&v) {
		return fault(payloadField, "JSON", scan.GotCut)
	}
	return nil
}

func (t *treeReader) array(depth int) (any, *telemetry.FieldError) {
	t.s.Take('[')
	list := []any{}
	for {
		more, err := t.s.Next(']')
		if err != nil {
			return nil, err
		}
		if !more {
			return list, t.settle(depth)
		}
		v, err := t.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

// object reads members; a name given twice spoils what it names, for which of the two was meant is anyone's guess.
func (t *treeReader) object(depth int) (any, *telemetry.FieldError) {
	t.s.Take('{')
	object := map[string]any{}
	for {
		raw, more, err := t.s.Name()
		if err != nil {
			return nil, err
		}
		if !more {
			return object, t.settle(depth)
		}
		v, err := t.value(depth)
		if err != nil {
			return nil, err
		}
		name, wrong := scan.Value{Shape: scan.String, Raw: raw}.Text()
		if wrong != "" {
			name = string(raw)
		}
		if _, twice := object[name]; twice {
			v = spoilt(scan.GotTwice)
		}
		object[name] = v
	}
}

// nameOf gives a name from a payload in a form that is safe in a log.
func nameOf(name string) string { return scan.FieldName([]byte(name)) }

// plainWord is a payload that is one word and not JSON, such as online.
func plainWord(p []byte) (string, bool) {
	s := strings.TrimSpace(string(p[:min(len(p), maxWord+1)]))
	if s == "" || len(p) > maxWord {
		return "", false
	}
	for i := range len(s) {
		if c := s[i]; c|0x20 < 'a' || c|0x20 > 'z' {
			return "", false
		}
	}
	return s, true
}
