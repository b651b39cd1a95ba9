package profile

import (
	"slices"

	"watchhouse/telemetry"
)

// model reads the bodies by the model. What they do not say, the device's own bytes may: a codec that is older than the device, or made
// for another one, leaves out what it does not know, and that may be a call.
func (x *extract) model(record any) {
	bodies := x.bodiesOf(record)
	for _, body := range bodies {
		x.body(body)
	}
	x.told(record)
	if x.called {
		return
	}
	if raw := x.rawOf(record); raw != nil && (x.Model.coded() || len(bodies) == 0) {
		x.bytes(raw, record, bodies)
		return
	}
	for _, body := range bodies {
		x.suspect(body)
	}
}

func (x *extract) body(body map[string]any) {
	x.fields(body, x.Model.fields)
	if x.Model.rest && !x.wrapping {
		x.rest(body)
	}
}

// bodiesOf finds the objects that the model reads. Some bridges send one as the text of JSON; empty ones say nothing.
func (x *extract) bodiesOf(record any) []map[string]any {
	e := x.Envelope
	var bodies []map[string]any
	for i := range e.bodies {
		bodies = x.bodiesAt(bodies, &e.bodies[i], record)
	}
	if whole, ok := record.(map[string]any); ok && len(bodies) == 0 && e.spec.OrWhole {
		x.wrapping = slices.ContainsFunc(e.bodies, func(p path) bool { return isObject(p.first(record, false)) })
		bodies = append(bodies, whole)
	}
	return bodies
}

func isObject(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

func (x *extract) bodiesAt(bodies []map[string]any, at *path, record any) []map[string]any {
	for _, found := range at.find(nil, record, false) {
		if text, ok := found.(string); ok && len(text) > 0 && text[0] == '{' {
			found, _, _ = parse([]byte(text))
		}
		body, isObject := found.(map[string]any)
		switch {
		case isObject && len(body) > 0:
			bodies = append(bodies, body)
		case !isObject && found != "" && !x.Envelope.spec.OrWhole:
			x.unread(fault(at.text, "an object", shapeOf(found)))
			x.called = true
		}
	}
	return bodies
}

// rawOf is the device's own bytes as the message has them, nil for none.
func (x *extract) rawOf(record any) any {
	if x.Envelope.spec.Bytes == "" {
		return nil
	}
	v := x.Envelope.bytes.first(record, false)
	if v == "" {
		return nil
	}
	return v
}

// bytes reads the device's own bytes. A fault may hide a call unless the codec's bodies are all known.
func (x *extract) bytes(raw, record any, bodies []map[string]any) {
	decoded, err := x.decoded(raw, record)
	x.body(decoded)
	if err != nil && (len(bodies) == 0 || slices.ContainsFunc(bodies, x.foreign)) {
		x.unread(err)
	}
}

func (x *extract) decoded(raw, record any) (map[string]any, *telemetry.FieldError) {
	text, isText := raw.(string)
	switch {
	case !isText:
		return nil, fault(x.Envelope.bytes.text, "base64", shapeOf(raw))
	case !x.Model.coded():
		return nil, fault(x.Envelope.bodies[0].text, "an object, made by the bridge's codec", "bytes only")
	}
	return x.Model.decode(text, x.Envelope.port.first(record, false))
}

// foreign reports whether a body has a field that the model does not know.
func (x *extract) foreign(body map[string]any) bool {
	for name, v := range body {
		if v != nil && !x.Model.named[name] {
			return true
		}
	}
	return false
}
