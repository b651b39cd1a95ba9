package catalog

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"watchhouse/telemetry"
	"watchhouse/telemetry/profile"
)

// Profile is a way of speaking: the topics of a bridge or of a kind of device, and what surrounds their messages.
type Profile struct {
	ID          string          `yaml:"id"`
	Title       Title           `yaml:"title"`
	FoldCase    bool            `yaml:"fold_case"` // addresses differ in more than capitals
	AddressForm AddressForm     `yaml:"address_form"`
	Topics      []profile.Topic `yaml:"topics"`

	models []*profile.Model // of the devices that speak it, in the order of the models' ids
}

// Key gives an address in the form in which it is compared.
func (p *Profile) Key(address string) string {
	if normal, ok := p.AddressForm.Normal(address); ok {
		address = normal
	}
	if p.FoldCase {
		return strings.ToLower(address)
	}
	return address
}

// Models are the mappings of the profile's models, in the order of their ids.
func (p *Profile) Models() []*profile.Model { return p.models }

// Mapping is how the body of the model's messages is read, nil for a model that speaks wh/v1.
func (m *Model) Mapping() *profile.Model { return m.mapping }

// Suits reports whether a device of the model may be of a kind that is not the model's own: whether the kind knows every event
// that the model can give, so that none is lost.
func (c *Catalog) Suits(m *Model, kind telemetry.Kind) bool {
	if m.mapping == nil {
		return false
	}
	for _, typ := range m.mapping.Events() {
		if !c.KnownEvent(kind, typ) {
			return false
		}
	}
	return true
}

// Profile gives a profile by id.
func (c *Catalog) Profile(id string) (*Profile, bool) {
	p, ok := c.profiles[id]
	return p, ok
}

// Match is a topic as an envelope of a profile reads it.
type Match struct {
	Profile  *Profile
	Envelope *profile.Envelope
	Address  string // "" when the topic names no device
	Field    string // "" when the topic names none
}

// Matches gives the envelopes that a topic can belong to, in the order in which they are to be tried.
func (c *Catalog) Matches(topic string) iter.Seq[Match] {
	return func(yield func(Match) bool) {
		for _, e := range c.envelopes {
			if address, field, ok := e.Match(topic); ok && !yield(Match{c.owners[e], e, address, field}) {
				return
			}
		}
	}
}

// HearsReply reports whether a filter asks for a profile's answers to the device at an address, and to no other.
func (c *Catalog) HearsReply(profileID, filter, address string) bool {
	return slices.ContainsFunc(c.envelopes, func(e *profile.Envelope) bool {
		return c.owners[e].ID == profileID && e.ReplyMatches(filter, address)
	})
}

// Envelope finds the profile that a topic belongs to, and the address of the device in it, "" when the topic names none.
func (c *Catalog) Envelope(topic string) (p *Profile, e *profile.Envelope, address string, ok bool) {
	for m := range c.Matches(topic) {
		return m.Profile, m.Envelope, m.Address, true
	}
	return nil, nil, "", false
}

// assemble gives each profile its models, when all files are read.
func (c *Catalog) assemble() {
	for _, m := range c.Models() {
		if p := c.profiles[m.Profile]; p != nil {
			p.models = append(p.models, m.mapping)
		}
	}
	for _, e := range c.envelopes {
		if e.NamesFields() {
			e.Know(c.owners[e].models)
		}
	}
}

func (l *loader) profile(at string, p *Profile) {
	if p == nil {
		l.Fault(at, "want a profile")
		return
	}
	switch _, twice := l.catalog.profiles[p.ID]; {
	case !telemetry.ValidID(p.ID):
		l.Fault(at+".id", "want 1 to 64 letters, digits, _ or -, beginning with a letter or digit")
	case twice:
		l.Fault(at+".id", "profile "+p.ID+" is defined twice")
	}
	l.title(at, p.Title)
	if !p.AddressForm.Valid() {
		l.Fault(at+".address_form", "want eui64 or nothing")
	}
	if len(p.Topics) == 0 {
		l.Fault(at, "want topics")
	}
	for i, t := range p.Topics {
		l.topic(fmt.Sprintf("%s.topics[%d]", at, i), p, t)
	}
	l.catalog.profiles[p.ID] = p
}

func (l *loader) topic(at string, p *Profile, t profile.Topic) {
	sound := true
	t.Check(func(rest, message string) {
		sound = false
		l.Fault(at+rest, message)
	})
	same := slices.IndexFunc(l.catalog.envelopes, func(other *profile.Envelope) bool { return other.Pattern() == t.Pattern })
	if same >= l.catalog.shipped {
		l.Fault(at+".topic", "topic "+t.Pattern+" is defined twice")
	}
	if !sound {
		return
	}
	e := t.Compile()
	l.catalog.owners[e] = p
	if same >= 0 && same < l.catalog.shipped { // the deployment's own reading of it goes before the shipped one
		l.catalog.envelopes = slices.Insert(l.catalog.envelopes, same, e)
		l.catalog.shipped++
		return
	}
	l.catalog.envelopes = append(l.catalog.envelopes, e)
}

// mapping checks and compiles how a model's messages are read.
func (l *loader) mapping(at string, m *Model) {
	_, known := l.catalog.profiles[m.Profile]
	switch {
	case m.Profile == "" && !m.Empty():
		l.Fault(at, "fields, rest, bytes and settings need a profile")
		return
	case m.Profile == "":
		return
	case !known:
		l.Fault(at+".profile", "profile "+m.Profile+" is not defined")
		return
	}
	sound := true
	m.Check(func(rest, message string) {
		sound = false
		l.Fault(at+rest, message)
	})
	if !sound {
		return
	}
	m.mapping = m.Compile()
	for _, typ := range m.mapping.Events() {
		if !l.knownSomewhere(typ) {
			l.Fault(at, "event "+typ+" is in the vocabulary of no kind")
		}
	}
}

func (l *loader) knownSomewhere(typ string) bool {
	if l.catalog.common[typ] {
		return true
	}
	for _, k := range l.catalog.kinds {
		if slices.Contains(k.Events, typ) {
			return true
		}
	}
	return false
}
