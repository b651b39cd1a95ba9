package profile

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"watchhouse/telemetry"
)

// fields reads what the fields of an object say.
func (x *extract) fields(object any, fields []field) {
	for i := range fields {
		f := &fields[i]
		if x.stranger && f.Ambiguous || x.excused(object, f) {
			continue
		}
		_, isObject := object.(map[string]any)
		if len(f.path.steps) == 0 && isObject {
			continue // the field is for messages that are one word
		}
		if f.call() {
			x.blocked(object, f)
		}
		if found := x.plain(f, f.path.find(nil, object, x.Envelope.zero[f.path.text])); len(found) > 0 {
			x.field(f, found)
		}
	}
}

// plain takes values out of the wrapping {"value":…} that some systems put around them, and leaves those out of which another field
// reads something.
func (x *extract) plain(f *field, found []any) []any {
	kept := found[:0]
	for _, v := range found {
		wrapping, isObject := v.(map[string]any)
		if inner, ok := wrapping["value"]; ok && len(f.within) == 0 {
			v = inner
		}
		if v != nil && (!isObject || !f.readWithin(v)) {
			kept = append(kept, v)
		}
	}
	return kept
}

func (f *field) readWithin(v any) bool {
	for _, p := range f.within {
		if len(findSteps(nil, v, p.steps[len(f.path.steps):], false)) > 0 {
			return true
		}
	}
	return false
}

// blocked reports a call whose path ends early, such as a word where this version of the codec has an object with the word.
func (x *extract) blocked(object any, f *field) {
	if _, isObject := object.(map[string]any); !isObject {
		return
	}
	for _, p := range f.around {
		if v := p.first(object, false); v != nil {
			if _, isObject := v.(map[string]any); !isObject {
				return // the other field reads it
			}
		}
	}
	for p := &f.path; p != nil; p = p.or {
		if p.or != nil && f.path.first(object, false) != nil && len(findSteps(nil, object, p.steps, false)) == 0 {
			continue // another alternative leads to something
		}
		if v, ok := obstacle(object, p.steps); ok {
			x.unread(fault(f.path.text, "objects, and arrays where there is [], on the way there", shapeOf(v)))
			x.called = true
			return
		}
	}
}

// excused reports whether a flag says that a field means nothing.
func (x *extract) excused(object any, f *field) bool {
	for i := range f.unless {
		if w, ok := word(f.unless[i].first(object, false)); ok && onWords[w] {
			return true
		}
	}
	return false
}

func (x *extract) field(f *field, found []any) {
	x.called = x.called || f.call()
	switch {
	case f.Metric != "" || f.Fill:
		x.number(f, found)
	case f.events != nil:
		for _, v := range found {
			x.event(f, v)
		}
	case f.Level != "":
		x.level(f, found)
	case f.Online:
		if on, ok := x.flag(f, found[0]); ok {
			x.out.Online = &on
		}
	}
}

// number reads a metric or a distance; of several values the picked one counts.
func (x *extract) number(f *field, found []any) {
	numbers, ok := x.numbers(f, found)
	if !ok || len(numbers) == 0 {
		return
	}
	n := slices.Max(numbers)
	if f.Pick == "min" {
		n = slices.Min(numbers)
	}
	n = scaled(n, f.Scale, f.Offset)
	switch {
	case f.Min != nil && n < *f.Min || f.Max != nil && n > *f.Max:
		x.report(fault(f.path.text, f.limits(), "a number beyond"))
	case !f.Fill:
		x.metric(f.Metric, n)
	case x.Mount.fault != nil:
		x.report(x.Mount.fault)
	case x.Mount.metric != "":
		x.metric(x.Mount.metric, x.Mount.fill(n))
	}
}

// numbers reads each of the values; ok is false, and reported, when one is no number.
func (x *extract) numbers(f *field, found []any) (numbers []float64, ok bool) {
	for _, v := range found {
		w, isWord := word(v)
		if isWord && (f.ignore[w] || w == "") {
			continue
		}
		n, ok := f.values[w]
		if !ok {
			n, ok = number(v)
		}
		if !ok {
			x.report(fault(f.path.text, wantNumber, shapeOf(v)))
			return nil, false
		}
		numbers = append(numbers, n)
	}
	return numbers, true
}

// scaled converts a number without the noise that 0.001 has as a binary fraction.
func scaled(n, scale, offset float64) float64 {
	if scale == 1 && offset == 0 {
		return n
	}
	return math.Round((n*scale+offset)*1e9) / 1e9
}

func (f *field) limits() string {
	text := wantNumber
	if f.Min != nil {
		text += " from " + strconv.FormatFloat(*f.Min, 'g', -1, 64)
	}
	if f.Max != nil {
		text += " to " + strconv.FormatFloat(*f.Max, 'g', -1, 64)
	}
	return text
}

// metric adds a number; the first of a name counts.
func (x *extract) metric(name string, n float64) {
	same := func(m telemetry.Metric) bool { return m.Name == name }
	if len(x.metrics) < maxMetrics && !slices.ContainsFunc(x.metrics, same) {
		x.metrics = append(x.metrics, telemetry.Metric{Name: name, Value: n})
	}
}

const wantEvent = "a word that the model maps to an event"

func (x *extract) event(f *field, v any) {
	w, ok := word(v)
	if ok && f.ignore[w] {
		return
	}
	typ, known := f.events[w]
	if !known {
		typ, known = f.events[anyWord]
	}
	if !ok || !known {
		x.unread(fault(f.path.text, wantEvent, "another, "+shapeOf(v)))
		return
	}
	if typ == anyWord {
		text, isText := v.(string)
		if typ = text; !isText || !validType(text) {
			x.unread(fault(f.path.text, "an event type", shapeOf(v)))
			return
		}
	}
	again := func(e telemetry.Event) bool { return e.Type == typ }
	if typ != "" && len(x.out.Events) < maxRecords && !slices.ContainsFunc(x.out.Events[x.events:], again) {
		x.out.Events = append(x.out.Events, telemetry.Event{Type: typ, TS: x.ts})
	}
}

// validType reports whether a text of a message can be shown and compared as an event type.
func validType(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= maxWord
}

// level reads a state; of several values one that is on is enough.
func (x *extract) level(f *field, found []any) {
	on, known := false, false
	for _, v := range found {
		if w, ok := word(v); ok && (f.ignore[w] || w == "") {
			continue
		}
		this, ok := x.flag(f, v)
		on, known = on || this, known || ok
	}
	if known && len(x.out.Levels) < maxRecords {
		x.out.Levels = append(x.out.Levels, Level{Field: f.path.text, Type: f.Level, On: on, TS: x.ts})
	}
}

const wantFlag = "a word for on or off"

// flag reads on or off.
func (x *extract) flag(f *field, v any) (on, ok bool) {
	w, isWord := word(v)
	switch {
	case isWord && f.on[w]:
		return true, true
	case isWord && f.off[w]:
		return false, true
	case f.Level != "":
		x.unread(fault(f.path.text, wantFlag, "another, "+shapeOf(v)))
	default:
		x.report(fault(cmp.Or(f.path.text, payloadField), wantFlag, "another, "+shapeOf(v)))
	}
	return false, false
}
