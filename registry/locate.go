package registry

import (
	"cmp"
	"errors"
	"iter"
	"sync"

	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
	"watchhouse/telemetry/profile"
)

// ErrNoDevice tells that a topic is known and speaks of no device: a bridge's own affairs.
var ErrNoDevice = errors.New("registry: the topic speaks of no device")

// Origin is the device a topic speaks of, and how its messages are read.
type Origin struct {
	Topic      telemetry.Topic // of a profile's topic: device and channel; the device of an unknown address is profile:address
	Device     Device          // zero when not registered
	Registered bool
	Life       bool // a message is a sign of life of the device

	reader profile.Reader   // of a profile
	others []*profile.Model // that an unregistered device may be of
	split  func(profile.Piece) Origin
	fault  error // of a piece that names no device
}

// All gives the origins of a message: one, unless its payload names the devices that it speaks of. Each of those reads its own part,
// whatever payload it is given.
func (o *Origin) All(payload []byte) iter.Seq[Origin] {
	return func(yield func(Origin) bool) {
		if o.split == nil {
			yield(*o)
			return
		}
		pieces, err := o.reader.Envelope.Split(payload)
		if err != nil && !yield(Origin{Topic: o.Topic, reader: o.reader, fault: err}) {
			return
		}
		for _, piece := range pieces {
			if !yield(o.split(piece)) {
				return
			}
		}
	}
}

// MayCall reports whether a message has to go where calls go: of a device that can call, or of a stranger that does.
func (o *Origin) MayCall(payload []byte) bool {
	for p := range o.All(payload) {
		if p.Registered && p.Topic.Channel == telemetry.ChannelEvent {
			return true
		}
		if c, err := p.Read(payload); !p.Registered && err == nil && c.Help() {
			return true
		}
	}
	return false
}

// Foreign reports whether the topic is of a profile, and not of wh/v1.
func (o *Origin) Foreign() bool { return o.reader.Envelope != nil }

// Locator tells whose a topic is, for one set of devices. It does not change and is safe for concurrent use.
type Locator struct {
	catalog  *catalog.Catalog
	device   func(id string) (Device, bool)
	speakers func() speakers
}

// NewLocator is for a set of devices outside a registry.
func NewLocator(c *catalog.Catalog, devices []Device) *Locator {
	byID := make(map[string]Device, len(devices))
	for _, d := range devices {
		byID[d.ID] = d.In(c)
	}
	return newLocator(c, func(id string) (Device, bool) { d, ok := byID[id]; return d, ok }, func() []Device { return devices })
}

func newLocator(c *catalog.Catalog, device func(string) (Device, bool), all func() []Device) *Locator {
	return &Locator{catalog: c, device: device, speakers: sync.OnceValue(func() speakers { return indexSpeakers(c, all()) })}
}

// Locate is that of the view's devices.
func (v *View) Locate(topic, sender string) (Origin, error) { return v.locator.Locate(topic, sender) }

// Locate tells what device a topic speaks of. sender is the id of the connection's device, or of a bridge's account; only topics
// without an address ask for it. The error is ErrNoDevice, or a *telemetry.FieldError for a topic that nobody knows and for a
// sender that speaks no such profile.
func (l *Locator) Locate(topic, sender string) (Origin, error) {
	t, err := telemetry.ParseTopic(topic)
	if err == nil {
		d, known := l.device(t.Device)
		return Origin{Topic: t, Device: d, Registered: known, Life: true}, nil
	}
	m, known := l.match(topic, sender)
	switch {
	case m.Envelope == nil:
		return Origin{}, err
	case ofNoDevice(m.Envelope):
		return Origin{}, ErrNoDevice
	case m.Envelope.OfSender():
		return l.locateSender(m, sender)
	case m.Envelope.InPayload():
		return l.several(m), nil
	}
	return l.origin(m, known), nil
}

// several is the origin of a message whose payload names its devices.
func (l *Locator) several(m catalog.Match) Origin {
	return Origin{
		Topic: telemetry.Topic{Channel: telemetry.ChannelTelemetry}, reader: profile.Reader{Envelope: m.Envelope},
		split: func(p profile.Piece) Origin {
			m.Address = p.Address
			o := l.origin(m, l.speakers().byAddress[addressKey{m.Profile.ID, m.Profile.Key(p.Address)}])
			o.reader.Piece = p.Tree
			return o
		},
	}
}

// BridgeState is that of the view's catalog.
func (v *View) BridgeState(topic string, payload []byte) (online, ok bool) {
	return v.locator.BridgeState(topic, payload)
}

// BridgeState tells what a message says of the bridge that sends it; ok is false for a topic that says nothing of bridges, and for a
// message that cannot be read.
func (l *Locator) BridgeState(topic string, payload []byte) (online, ok bool) {
	_, e, _, found := l.catalog.Envelope(topic)
	if !found || e.Carries() != profile.CarriesBridge {
		return false, false
	}
	reader := profile.Reader{Envelope: e}
	c, err := reader.Read(payload)
	if err != nil || c.Online == nil {
		return false, false
	}
	return *c.Online, true
}

// ofNoDevice reports whether an envelope's messages are a bridge's own affairs.
func ofNoDevice(e *profile.Envelope) bool {
	return e.Carries() == profile.CarriesNothing || e.Carries() == profile.CarriesBridge
}

// match finds the envelope that a topic belongs to. One of whose address a device is registered goes before others, for a name may
// hold slashes: hall/smoke is a device of that name, if there is one, and else the field smoke of the device hall.
// Where the sender is meant, the profile that it speaks decides.
func (l *Locator) match(topic, sender string) (first catalog.Match, known *speaker) {
	for m := range l.catalog.Matches(topic) {
		if m.Envelope.OfSender() {
			if s, ok := l.speakers().byID[sender]; ok && s.profile == m.Profile.ID {
				return m, s
			}
		} else if s, ok := l.speakers().byAddress[addressKey{m.Profile.ID, m.Profile.Key(m.Address)}]; ok {
			return m, s
		}
		if first.Envelope == nil {
			first = m
		}
		if ofNoDevice(first.Envelope) {
			break
		}
	}
	return first, nil
}

// origin is the device at an address, s being nil for one that nobody has registered.
func (l *Locator) origin(m catalog.Match, s *speaker) Origin {
	o := Origin{
		Topic:  telemetry.Topic{Channel: telemetry.ChannelTelemetry},
		reader: profile.Reader{Envelope: m.Envelope, Field: m.Field},
	}
	if s != nil {
		return s.origin(o)
	}
	o.Topic.Device, o.others = m.Profile.ID+":"+m.Address, m.Profile.Models()
	return o
}

func (l *Locator) locateSender(m catalog.Match, sender string) (Origin, error) {
	s, known := l.speakers().byID[sender]
	if !known || s.profile != m.Profile.ID {
		return Origin{}, &telemetry.FieldError{Field: "topic", Want: "a topic of the sender's model", Got: "one of profile " + m.Profile.ID}
	}
	return s.origin(Origin{reader: profile.Reader{Envelope: m.Envelope, Field: m.Field}}), nil
}

// speaker is a device that speaks a profile.
type speaker struct {
	device  Device
	profile string
	model   *profile.Model
	mount   profile.Mount
}

// origin completes what is known of the topic by what is known of the device.
func (s *speaker) origin(o Origin) Origin {
	o.Topic = telemetry.Topic{Device: s.device.ID, Channel: telemetry.ChannelTelemetry}
	o.Device, o.Registered, o.Life = s.device, true, true
	switch o.reader.Envelope.Carries() {
	case profile.CarriesStatus:
		o.Topic.Channel, o.Life = telemetry.ChannelStatus, false // the bridge's opinion, not the device's word
	case profile.CarriesModel:
		o.reader.Model, o.reader.Mount = s.model, s.mount
		if s.model.Calls() {
			o.Topic.Channel = telemetry.ChannelEvent
		}
	}
	return o
}

type addressKey struct{ profile, address string }

// speakers are the devices that speak a profile, by what their topics name.
type speakers struct {
	byAddress map[addressKey]*speaker
	byID      map[string]*speaker
}

// speaksOn reports whether a topic is one on which each device of a profile speaks of itself, and this is such a device.
func (l *Locator) speaksOn(device, topic string) bool {
	m, owner := l.match(topic, device)
	switch {
	case m.Envelope == nil || m.Envelope.InPayload() || ofNoDevice(m.Envelope):
		return false
	case !m.Envelope.OfSender():
		return owner != nil && owner.device.ID == device
	}
	s, known := l.speakers().byID[device]
	return known && s.profile == m.Profile.ID
}

// hears reports whether a filter asks for what a device's platform answers it.
func (l *Locator) hears(device, filter string) bool {
	s, known := l.speakers().byID[device]
	return known && l.catalog.HearsReply(s.profile, filter, cmp.Or(s.device.Address, s.device.ID))
}

// Reply is what the sender of a message is told once it is kept, as the platform would that the profile is of; ok is false where
// nothing is expected.
func (o *Origin) Reply(topic string, payload []byte) (replyTopic string, reply []byte, ok bool) {
	e := o.reader.Envelope
	if e == nil || !e.Replies() {
		return "", nil, false
	}
	return e.ReplyTopic(topic), e.Reply(payload), true
}

// indexSpeakers makes the index. An address is checked to be unique when a device is registered; should a new catalog
// have made two alike, the first by id has it.
func indexSpeakers(c *catalog.Catalog, devices []Device) speakers {
	x := speakers{byAddress: map[addressKey]*speaker{}, byID: map[string]*speaker{}}
	for _, d := range devices {
		s, key, ok := speakerOf(c, d)
		if !ok {
			continue
		}
		x.byID[d.ID] = s
		if _, taken := x.byAddress[key]; !taken {
			x.byAddress[key] = s
		}
	}
	return x
}

// speakerOf tells how a device speaks; ok is false for one that speaks wh/v1.
func speakerOf(c *catalog.Catalog, d Device) (s *speaker, key addressKey, ok bool) {
	m, known := c.Model(d.Model)
	if !known || m.Mapping() == nil {
		return nil, addressKey{}, false
	}
	p, _ := c.Profile(m.Profile)              // the catalog has checked that it exists
	mount, _ := m.Mapping().Mount(d.Settings) // a fault is told with each message that needs it
	address := p.Key(cmp.Or(d.Address, d.ID))
	return &speaker{device: d, profile: p.ID, model: m.Mapping(), mount: mount}, addressKey{p.ID, address}, true
}

// ErrStranger is what Read gives of a message of an address that nobody has registered, unless it calls for help.
var ErrStranger error = &telemetry.FieldError{Field: "topic.address", Want: "the address of a registered device", Got: "another"}

// Read gives what a message on the topic says. Of an unregistered device of a profile it is a call for help or nothing. With an
// error, which holds *telemetry.FieldError, it gives what could be read.
func (o *Origin) Read(payload []byte) (profile.Content, error) {
	switch {
	case o.fault != nil:
		return profile.Content{}, o.fault
	case o.split != nil:
		return profile.Content{}, &telemetry.FieldError{Field: "payload", Want: "one device", Got: "several"}
	case !o.Foreign():
		return readOwn(o.Topic, payload)
	case o.Registered:
		return o.reader.Read(payload)
	}
	if c, ok := o.reader.Cry(payload, o.others); ok {
		return c, nil
	}
	return profile.Content{}, ErrStranger
}

// readOwn reads a payload of wh/v1.
func readOwn(t telemetry.Topic, payload []byte) (c profile.Content, err error) {
	switch t.Channel {
	case telemetry.ChannelEvent:
		var e telemetry.Event
		if e, err = telemetry.DecodeEvent(payload); e.Type != "" {
			return profile.Content{Events: []telemetry.Event{e}, Identity: e.Identity(t.Device)}, err
		}
		c.Unread = &telemetry.FieldError{Field: "payload", Want: "a decodable event", Got: "another"}
		if f, ok := errors.AsType[*telemetry.FieldError](err); ok {
			c.Unread = f
		}
	case telemetry.ChannelTelemetry:
		c.Readings, err = telemetry.DecodeTelemetry(payload)
	case telemetry.ChannelStatus:
		var online bool
		if online, err = telemetry.DecodeStatus(payload); err == nil {
			c.Online = &online
		}
	}
	return c, err
}
