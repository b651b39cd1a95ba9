package profile

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"watchhouse/telemetry"
)

// open parses a payload, or takes it for a word where the envelope allows that. The value of a field that the topic names is put into
// an object, as if the message had it there.
func (e *Envelope) open(payload []byte, field string) (root any, flaw, err *telemetry.FieldError) {
	if e.spec.Text {
		if w, ok := plainWord(payload); ok {
			return w, nil, nil
		}
	}
	if field == "" || e.pattern.event {
		return parse(payload)
	}
	if root, flaw, err = parse(payload); err != nil {
		root, flaw = plainText(payload), nil
	}
	if object, isObject := root.(map[string]any); isObject && object[field] != nil {
		return object, flaw, nil
	}
	return map[string]any{field: root}, flaw, nil
}

// plainText is a payload that is a value without quotes. An empty one says nothing.
func plainText(p []byte) any {
	s := strings.Trim(string(p), " \t\r\n\x00\x1a")
	switch {
	case s == "":
		return nil
	case !utf8.ValidString(s):
		return spoilt("text that is not UTF-8")
	}
	return s
}

// maxDevices bounds the parts of a message.
const maxDevices = 256

// Piece is what a message says of one device.
type Piece struct {
	Address string
	Tree    any
}

// Split divides a message that names its devices itself. The error tells why there is nothing to divide, or a part without address.
func (e *Envelope) Split(payload []byte) ([]Piece, error) {
	root, _, err := e.open(payload, "")
	if err != nil {
		return nil, telemetry.FieldErrors{err}
	}
	trees := []any{root}
	if e.spec.Devices != "" {
		trees = e.devices.find(nil, root, false)
	}
	var parts []Piece
	var faults telemetry.FieldErrors
	for _, tree := range trees[:min(len(trees), maxDevices)] {
		if p := (Piece{e.addressIn(tree), tree}); p.Address != "" {
			parts = append(parts, p)
		} else if len(faults) < maxFaults {
			faults = append(faults, fault(e.spec.Address, "an address", "another"))
		}
	}
	if len(trees) > maxDevices {
		faults = append(faults, fault(e.spec.Devices, "at most 256 devices", "more"))
	}
	if len(faults) > 0 {
		return parts, faults
	}
	return parts, nil
}

// addressIn finds the address in a part; of SenML's base names the colon at the end is none of it.
func (e *Envelope) addressIn(tree any) string {
	if e.spec.Pairs != nil {
		tree = e.paired(tree)
	}
	switch v := e.address.first(tree, false).(type) {
	case string:
		if v = strings.TrimRight(strings.TrimSpace(v), ":/"); len(v) <= maxIdentity {
			return v
		}
	case json.Number:
		return v.String()
	}
	return ""
}

// paired makes an object of a list of names and values: "pairs" are the bodies, more than one when a name repeats, so that no value
// hides another; "first" is the first of the list, and "message" what the list was in.
func (e *Envelope) paired(root any) any {
	list := e.pairs.list.find(nil, root, false)
	if len(list) == 1 {
		if inner, isList := list[0].([]any); isList {
			list = inner
		}
	}
	body := map[string]any{}
	bodies := []any{body}
	for _, pair := range list[:min(len(list), maxRecords)] {
		name, isName := e.pairs.name.first(pair, false).(string)
		v := e.pairs.value.first(pair, false)
		if !isName || v == nil {
			continue
		}
		if body[name] != nil {
			body = map[string]any{}
			bodies = append(bodies, body)
		}
		body[name] = v
	}
	out := map[string]any{"pairs": bodies, "first": nil}
	if len(list) > 0 {
		out["first"] = list[0]
	}
	if message, ok := root.(map[string]any); ok {
		out["message"] = message
	}
	return out
}
