package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"watchhouse/telemetry"
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

const payloadField = "payload"

func fault(field, want, got string) *telemetry.FieldError {
	return &telemetry.FieldError{Field: field, Want: want, Got: got}
}

// parse reads a payload into maps, slices, strings, json.Numbers and booleans. The tokens are encoding/json's; what is added is
// a bound on nesting and number, and that a name given twice is a fault.
func parse(p []byte) (any, *telemetry.FieldError) {
	if len(p) > maxPayload {
		return nil, fault(payloadField, "at most "+strconv.Itoa(maxPayload)+" bytes", strconv.Itoa(len(p)))
	}
	p = bytes.TrimRight(bytes.TrimPrefix(p, []byte("\xef\xbb\xbf")), "\x00")
	if !utf8.Valid(p) {
		return nil, fault(payloadField, "JSON", "text that is not UTF-8")
	}
	t := treeReader{tokens: json.NewDecoder(bytes.NewReader(p))}
	t.tokens.UseNumber()
	root, err := t.value(0)
	if err == nil {
		if _, end := t.tokens.Token(); !errors.Is(end, io.EOF) {
			err = fault(payloadField, "nothing after the JSON value", "more bytes")
		}
	}
	return root, err
}

type treeReader struct {
	tokens *json.Decoder
	values int
}

func (t *treeReader) value(depth int) (any, *telemetry.FieldError) {
	token, err := t.tokens.Token()
	if err != nil {
		return nil, notJSON(err)
	}
	if t.values++; t.values > maxValues {
		return nil, fault(payloadField, "at most "+strconv.Itoa(maxValues)+" values", "more")
	}
	delim, composite := token.(json.Delim)
	switch {
	case !composite:
		return token, nil
	case depth == maxDepth:
		return nil, fault(payloadField, "at most "+strconv.Itoa(maxDepth)+" levels of nesting", "more")
	case delim == '[':
		return t.array(depth + 1)
	}
	return t.object(depth + 1)
}

func (t *treeReader) array(depth int) (any, *telemetry.FieldError) {
	list := []any{}
	for t.tokens.More() {
		v, err := t.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	if _, err := t.tokens.Token(); err != nil {
		return nil, notJSON(err)
	}
	return list, nil
}

func (t *treeReader) object(depth int) (any, *telemetry.FieldError) {
	object := map[string]any{}
	for t.tokens.More() {
		key, err := t.tokens.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		name, _ := key.(string) // the decoder takes nothing else for a name
		if _, twice := object[name]; twice {
			return nil, fault(nameOf(name), "the field once", "it twice")
		}
		v, fault := t.value(depth)
		if fault != nil {
			return nil, fault
		}
		object[name] = v
	}
	if _, err := t.tokens.Token(); err != nil {
		return nil, notJSON(err)
	}
	return object, nil
}

func notJSON(err error) *telemetry.FieldError {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault(payloadField, "JSON", "the end of the payload")
	}
	return fault(payloadField, "JSON", "text that is not JSON")
}

// nameOf gives a name from a payload in a form that is safe in a log.
func nameOf(name string) string {
	if len(name) <= 32 && telemetry.ValidMetric(name) {
		return name
	}
	quoted := strconv.QuoteToASCII(name[:min(len(name), 32)])
	return quoted[:min(len(quoted), 32)]
}

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
