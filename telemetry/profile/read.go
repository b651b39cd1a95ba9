package profile

import (
	"maps"
	"slices"
	"strings"

	"watchhouse/telemetry"
)

// Reader reads the messages of one device that come in one envelope.
type Reader struct {
	Envelope *Envelope
	Model    *Model // nil when the envelope carries no model's body
	Mount    Mount
	Field    string // that the topic names
	Piece    any    // of a message of several devices: the tree that Split gave; nil = the payload
}

// Read gives what a message says. With an error, which is telemetry.FieldErrors, it gives what could be read.
func (r Reader) Read(payload []byte) (Content, error) {
	x := &extract{Reader: r}
	switch c := r.Envelope.spec.Carries; {
	case c == CarriesLife || c == CarriesNothing:
	case r.Piece != nil:
		x.tree(r.Piece)
	default:
		x.payload(payload)
	}
	if len(x.faults) > 0 {
		return x.out, x.faults
	}
	return x.out, nil
}

// Cry reads a message of a device that nobody has registered, by each of the models it may be of, and gives the first reading
// that calls for help: its events only, for nobody knows what the rest means. Levels count as events of every message: without
// a registration nobody will see them end.
func (r Reader) Cry(payload []byte, models []*Model) (Content, bool) {
	e, root := r.Envelope, r.Piece
	if e.spec.Carries != CarriesModel {
		return Content{}, false
	}
	if root == nil {
		var err *telemetry.FieldError
		if root, _, err = e.open(payload, r.Field); err != nil {
			return Content{}, false
		}
	}
	for _, m := range models {
		if !m.calls {
			continue
		}
		x := &extract{Reader: Reader{Envelope: e, Model: m}, stranger: true}
		if x.tree(root); !x.out.Help() {
			continue
		}
		c := Content{Identity: x.out.Identity, Also: x.out.Also, Events: x.out.Events}
		for _, l := range x.out.Levels {
			if l.On {
				c.Events = append(c.Events, l.Event())
			}
		}
		return c, true
	}
	return Content{}, false
}

// extract is the reading of one payload.
type extract struct {
	Reader
	stranger bool // the device is not registered
	out      Content
	faults   telemetry.FieldErrors

	ts      *int64 // of the record at hand
	events  int    // before it: two fields of one record that say the same are one event
	called  bool   // a field of its that can be a call said something, whatever it was
	metrics []telemetry.Metric

	wrapping bool // what is read as the body is the message around an empty one: its own numbers are no readings
}

// payload reads a payload, tree one that is parsed; the tree does not change.
func (x *extract) payload(p []byte) {
	root, flaw, err := x.Envelope.open(p, x.Field)
	if err != nil {
		x.unread(err)
		return
	}
	if x.tree(root); flaw == nil {
		return
	}
	if x.out.Help() { // what the flaw hides cannot be worse than what was read
		x.report(flaw)
		return
	}
	x.unread(flaw)
}

func (x *extract) tree(root any) {
	for _, record := range x.records(root) {
		x.record(record)
	}
}

// records divides a payload that may be a list.
func (x *extract) records(root any) []any {
	if x.Envelope.spec.Pairs != nil {
		return []any{x.Envelope.paired(root)}
	}
	list, isList := root.([]any)
	if !isList || !x.Envelope.spec.List {
		return []any{root}
	}
	if len(list) > maxRecords {
		x.unread(fault(payloadField, "at most 1024 records", "more"))
		return list[:maxRecords]
	}
	return list
}

func (x *extract) record(record any) {
	if _, ok := record.(map[string]any); !ok && !x.Envelope.spec.Text {
		x.unread(fault(payloadField, "a JSON object", shapeOf(record)))
		return
	}
	x.metrics, x.events, x.called, x.wrapping = nil, len(x.out.Events), false, false
	x.ts = x.timeOf(record)
	if x.out.Identity == "" {
		x.identify(record)
	}
	x.fields(record, x.Envelope.fields)
	if x.Model != nil {
		x.model(record)
	}
	if len(x.metrics) > 0 {
		slices.SortFunc(x.metrics, func(a, b telemetry.Metric) int { return strings.Compare(a.Name, b.Name) })
		x.out.Readings = append(x.out.Readings, telemetry.Reading{TS: x.ts, Metrics: x.metrics})
	}
}

// timeOf is the time of a record; one that cannot be read is 0, which no clock is believed at.
func (x *extract) timeOf(record any) *int64 {
	if x.Envelope.spec.Time == "" {
		return nil
	}
	v := x.Envelope.time.first(record, false)
	if v == nil {
		return nil
	}
	ms, err := stamp(v, x.Envelope.spec.TimeForm)
	if err != nil {
		err.Field = x.Envelope.time.text
		x.report(err)
	}
	return &ms
}

// maxIdentity bounds what is remembered of a message.
const maxIdentity = 128

// identify takes every identity of the envelope that is complete in the first record that has one. A number that was left out
// for being 0 completes only the first: whoever leaves it out always would make all messages one.
func (x *extract) identify(record any) {
	if x.out.Identity != "" {
		return
	}
	for _, key := range x.Envelope.identity {
		parts := make([]string, 0, len(key))
		for i := range key {
			zero := x.Envelope.zero[key[i].text] && x.out.Identity == ""
			if w, ok := word(key[i].first(record, zero)); ok && w != "" {
				parts = append(parts, w)
			}
		}
		id := strings.Join(parts, "/")
		switch {
		case len(parts) < len(key) || len(id) > maxIdentity:
		case x.out.Identity == "":
			x.out.Identity = id
		default:
			x.out.Also = append(x.out.Also, id)
		}
	}
}

// rest takes every number that no field has named.
func (x *extract) rest(body map[string]any) {
	e := x.Envelope
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if x.Model.named[name] || name == e.spec.Time || name == e.spec.Body {
			continue
		}
		v := unwrapped(body[name])
		n, isNumber := number(v)
		_, isSpoilt := v.(spoilt)
		switch {
		case isSpoilt:
			x.report(fault(nameOf(name), wantNumber, shapeOf(v)))
		case !isNumber:
		case !telemetry.ValidMetric(name):
			x.report(fault(nameOf(name), "a metric name of 1 to 64 letters, digits, _, - or .", "another"))
		default:
			x.metric(name, n)
		}
	}
}

func unwrapped(v any) any {
	if wrapping, ok := v.(map[string]any); ok {
		return wrapping["value"]
	}
	return v
}

// unread reports a fault behind which a call may hide.
func (x *extract) unread(err *telemetry.FieldError) {
	if x.out.Unread == nil {
		x.out.Unread = err
	}
	x.report(err)
}

func (x *extract) report(err *telemetry.FieldError) {
	if len(x.faults) < maxFaults {
		x.faults = append(x.faults, err)
	}
}
