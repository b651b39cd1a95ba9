package profile

import (
	"slices"
	"strings"
)

// Envelope is a compiled topic of a profile.
type Envelope struct {
	spec     Topic
	pattern  pattern
	fields   []field
	body     path
	bytes    path
	time     path
	identity [][]path
	zero     map[string]bool
}

// Model is a compiled mapping of a model.
type Model struct {
	fields   []field
	rest     bool
	named    map[string]bool // names that fields have taken from the rest
	chunks   map[[2]byte]Chunk
	settings map[string]string
	calls    bool
}

// field is a Field with its tables by word.
type field struct {
	Field
	path            path
	unless          []path
	ignore, on, off map[string]bool
	events          map[string]string
	values          map[string]float64
}

// Compile makes an envelope of a topic that Check has found no fault with.
func (t Topic) Compile() *Envelope {
	e := &Envelope{
		spec: t, pattern: compilePattern(t.Pattern), fields: compileFields(t.Fields),
		body: compilePath(t.Body), bytes: compilePath(t.Bytes), time: compilePath(t.Time), zero: map[string]bool{},
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
		chunks: map[[2]byte]Chunk{}, settings: s.Settings,
	}
	for i := range m.fields {
		f := &m.fields[i]
		m.named[f.path.steps[0].name] = true
		m.calls = m.calls || f.call()
	}
	for _, c := range s.Bytes {
		m.chunks[[2]byte{byte(c.Channel), byte(c.Type)}] = c
	}
	return m
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
	return list
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

// Match gives the address that a topic of this envelope names, "" for that of the sender.
func (e *Envelope) Match(topic string) (address string, ok bool) { return e.pattern.match(topic) }

// OfSender reports whether the topic names no device: the sender is meant.
func (e *Envelope) OfSender() bool { return e.pattern.address == "" }

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
