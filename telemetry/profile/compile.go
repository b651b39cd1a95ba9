package profile

import (
	"slices"
	"strings"

	"watchhouse/telemetry"
)

// Envelope is a compiled topic of a profile.
type Envelope struct {
	spec     Topic
	pattern  pattern
	fields   []field
	bodies   []path
	event    path
	bytes    path
	time     path
	port     path
	address  path
	devices  path
	replyID  path
	pairs    struct{ list, name, value path }
	names    map[string]bool // of fields that a topic can name
	identity [][]path
	zero     map[string]bool
}

// Model is a compiled mapping of a model.
type Model struct {
	fields   []field
	rest     bool
	named    map[string]bool // names that fields have taken from the rest
	chunks   map[chunkKey]Chunk
	frames   map[int]Frame
	settings map[string]string
	calls    bool
	helps    bool // and a call can be one for help
}

// field is a Field with its tables by word.
type field struct {
	Field
	path            path
	unless          []path
	ignore, on, off map[string]bool
	events          map[string]string
	values          map[string]float64
	within          []*path // paths of fields that read something of the same value, deeper in it
	around          []*path // and of those that read it whole
}

// Compile makes an envelope of a topic that Check has found no fault with.
func (t Topic) Compile() *Envelope {
	e := &Envelope{
		spec: t, pattern: compilePattern(t.Pattern), fields: compileFields(t.Fields),
		bodies: bodyPaths(t), event: compilePath(t.Event), bytes: compilePath(t.Bytes), time: compilePath(t.Time), port: compilePath(t.Port), zero: map[string]bool{},
	}
	e.address, e.devices = compilePath(t.Address), compilePath(t.Devices)
	if t.Pairs != nil {
		e.pairs.list, e.pairs.name, e.pairs.value = compilePath(t.Pairs.List), compilePath(t.Pairs.Name), compilePath(t.Pairs.Value)
	}
	if t.Reply != nil {
		e.replyID = compilePath(t.Reply.ID)
	}
	for _, key := range t.Identity {
		e.identity = append(e.identity, compilePaths(strings.Split(key, "+")))
	}
	for _, p := range t.Zero {
		e.zero[p] = true
	}
	return e
}

// Compile makes a model of a specification that Check has found no fault with.
func (s *ModelSpec) Compile() *Model {
	m := &Model{
		fields: compileFields(s.Fields), rest: s.Rest, named: map[string]bool{},
		chunks: map[chunkKey]Chunk{}, frames: map[int]Frame{}, settings: s.Settings,
	}
	for i := range m.fields {
		f := &m.fields[i]
		f.path.firstNames(m.named)
		m.calls = m.calls || f.call()
	}
	m.helps = slices.ContainsFunc(m.Events(), telemetry.CallsForHelp)
	for _, c := range s.Bytes {
		m.chunks[c.key()] = c
	}
	for _, f := range s.Frames {
		m.frames[f.Port] = f
	}
	return m
}

// coded reports whether the model can read the device's own bytes.
func (m *Model) coded() bool { return len(m.chunks)+len(m.frames) > 0 }

func bodyPaths(t Topic) []path {
	if t.Pairs != nil {
		return []path{compilePath("pairs[]")}
	}
	return compilePaths(strings.Split(t.Body, "+"))
}

func compileFields(specs []Field) []field {
	list := make([]field, 0, len(specs))
	for _, s := range specs {
		f := field{
			Field: s, path: compilePath(s.Path), unless: compilePaths(s.Unless),
			ignore: words(s.Ignore), on: words(s.On), off: words(s.Off), values: map[string]float64{},
		}
		if len(s.On) == 0 {
			f.on, f.off = onWords, offWords
		}
		if s.Event != nil {
			f.events = map[string]string{"": ""}
		}
		for w, typ := range s.Event {
			f.events[tidyWord(w)] = typ
		}
		for w, n := range s.Values {
			f.values[tidyWord(w)] = n
		}
		if f.Scale == 0 {
			f.Scale = 1
		}
		list = append(list, f)
	}
	nest(list)
	return list
}

// nest tells the fields of one value in two shapes, such as key and key.value, of each other.
func nest(list []field) {
	for i := range list {
		for j := range list {
			if outer, inner := &list[i], &list[j]; strings.HasPrefix(inner.path.text, outer.path.text+".") && outer.path.text != "" {
				outer.within = append(outer.within, &inner.path)
				inner.around = append(inner.around, &outer.path)
			}
		}
	}
}

// The words for on and off where a field names no others.
var (
	onWords  = words([]string{"true", "1", "on", "yes", "online"})
	offWords = words([]string{"false", "0", "off", "no", "offline"})
)

func compilePaths(list []string) []path {
	paths := make([]path, 0, len(list))
	for _, p := range list {
		paths = append(paths, compilePath(p))
	}
	return paths
}

func words(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, w := range list {
		set[tidyWord(w)] = true
	}
	return set
}

// call reports whether the field can be a call: one that cannot be read may hide it.
func (f *field) call() bool { return f.events != nil || f.Level != "" }

// Match gives what a topic of this envelope names: the device's address and a field, either "" when the topic names none.
func (e *Envelope) Match(topic string) (address, field string, ok bool) {
	address, field, ok = e.pattern.match(topic)
	if ok && e.pattern.field && !e.names[field] {
		return "", "", false
	}
	return address, field, ok
}

// NamesFields reports whether topics of this envelope name a field, which must be one of a model: Know tells them, once, before the
// envelope is used.
func (e *Envelope) NamesFields() bool { return e.pattern.field }

// Know takes the names of fields that topics may end with: those of the envelope's own fields and of the models.
func (e *Envelope) Know(models []*Model) {
	e.names = map[string]bool{}
	for i := range e.fields {
		e.fields[i].path.firstNames(e.names)
	}
	for _, m := range models {
		for name := range m.named {
			e.names[name] = true
		}
	}
}

// OfSender reports whether neither topic nor payload names a device: the sender is meant.
func (e *Envelope) OfSender() bool { return e.pattern.address == "" && e.spec.Address == "" }

// InPayload reports whether the payload names the device, or several.
func (e *Envelope) InPayload() bool { return e.spec.Address != "" }

// Pattern is the topic pattern as it is written.
func (e *Envelope) Pattern() string { return e.spec.Pattern }

// Carries is what the messages hold.
func (e *Envelope) Carries() Carries { return e.spec.Carries }

// Calls reports whether the model has events or levels.
func (m *Model) Calls() bool { return m.calls }

// Events lists the types of event that the model can give, sorted; what it takes from the message itself is not among them.
func (m *Model) Events() []string {
	var types []string
	for i := range m.fields {
		f := &m.fields[i]
		for _, typ := range f.events {
			types = append(types, typ)
		}
		types = append(types, f.Level)
	}
	slices.Sort(types)
	return slices.DeleteFunc(slices.Compact(types), func(s string) bool { return s == "" || s == anyWord })
}

// anyWord in a table of events stands for every other word and, as the type, for the word itself.
const anyWord = "*"
