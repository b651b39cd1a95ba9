package alerts

import (
	"encoding/hex"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"watchhouse/registry"
)

// A device that nobody has registered is heard, and each has a card of its own, until one gateway or bridge brings too many: then it
// is broken, or lies, or a whole building was never registered. The further ones are one incident with a list.

// Strangers are the devices of one incident that stands for many which nobody has registered.
type Strangers struct {
	IDs   []string `json:"ids" doc:"The first 20."`
	Count int      `json:"count" doc:"How many different ones; beyond 1,024 a call of one that is not remembered counts as another. The messages are counted in occurrences."`
}

const (
	strangersAlone  = 5                // distinct ones that have cards of their own
	strangersWithin = 10 * time.Minute // of each other
	strangersListed = 20
	strangersKnown  = 1024 // remembered of an incident, so that none counts twice
	strangerName    = 128  // bytes; an address of a profile can be as long as a topic
)

// stranger is a device that joined an incident of many.
type stranger struct {
	Incident string `json:"incident"`
	ID       string `json:"id"`
}

// via is who brought the message of a device that nobody has registered: its gateway, or the account of a bridge. A gateway that a
// bridge only names may be invented as well.
func (x *draft) via(sender string, o registry.Origin) string {
	if o.Registered {
		return ""
	}
	if gateway := o.Topic.Gateway; gateway != "" && gateway != sender {
		if _, ok := x.places.Device(gateway); ok {
			return gateway
		}
	}
	return sender
}

// nameStranger bounds what is shown of the address of a device that nobody has registered.
func nameStranger(id string) string {
	if len(id) <= strangerName {
		return id
	}
	h := fnv.New64a()
	h.Write([]byte(id))
	const digest = 17
	return strings.ToValidUTF8(id[:strangerName-digest], "") + "#" + hex.EncodeToString(h.Sum(nil))
}

// gather sends the call of a stranger to the incident of many where there are too many. One with an open card keeps it.
func (x *draft) gather(r *rule, s signal) signal {
	if own, ok := x.answering(r.key(s.device, "")); ok && own.Open() {
		return s
	}
	key := r.key(s.via, "strangers")
	if !x.crowded(r, key, s) {
		return s
	}
	gateway, _ := x.places.Device(s.via)
	s.stranger, s.key, s.device, s.area = s.device, key, s.via, gateway.Area
	return s
}

// crowded reports whether a further stranger is one too many: the incident of many is open or was a moment ago, or enough have
// cards of their own.
func (x *draft) crowded(r *rule, key string, s signal) bool {
	after := s.at - strangersWithin.Milliseconds()
	if many, ok := x.answering(key); ok && (many.Open() || many.LastAt > after) {
		return true
	}
	lately := slices.Clone(x.book.strangers[strangersKey(r.ID, s.via)])
	for _, t := range x.step.Transitions {
		if t.Kind == KindRaised && t.Incident.Rule == r.ID && t.Incident.Via == s.via {
			lately = addStranger(lately, t.Incident)
		}
	}
	n := 0
	for _, a := range lately {
		if a.at > after && a.id != s.device {
			n++
		}
	}
	return n >= strangersAlone
}

// meet adds the stranger of a signal to the list of its incident.
func (x *draft) meet(i *Incident, s signal) {
	if s.stranger == "" {
		return
	}
	many := Strangers{IDs: []string{}}
	if i.Strangers != nil {
		many = Strangers{IDs: slices.Clone(i.Strangers.IDs), Count: i.Strangers.Count}
	}
	if slices.Contains(many.IDs, s.stranger) || x.met(i.ID, s.stranger) {
		return
	}
	if many.Count++; len(many.IDs) < strangersListed {
		many.IDs = append(many.IDs, s.stranger)
	}
	i.Strangers = &many
	x.step.Strangers = append(x.step.Strangers, stranger{i.ID, s.stranger})
}

func (x *draft) met(incident, id string) bool {
	return slices.Contains(x.step.Strangers, stranger{incident, id}) || x.book.crowds[incident][hashOfID(id)]
}

// listed reports whether a device may be told that its call has arrived: of many, those on the list.
func (i *Incident) listed(device string) bool {
	return i.Strangers == nil || slices.Contains(i.Strangers.IDs, device)
}

func hashOfID(id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64()
}

func strangersKey(rule, via string) string { return rule + "\x00" + via }

// addStranger notes a card of a stranger among the latest.
func addStranger(list []aged, i *Incident) []aged {
	if i.Strangers != nil {
		return list
	}
	list = slices.DeleteFunc(slices.Clone(list), func(a aged) bool { return a.id == i.Device })
	list = append(list, aged{i.RaisedAt, i.Device})
	return list[max(len(list)-strangersAlone, 0):]
}

// noteStranger keeps the latest cards of strangers by who brought them. It is derived from the incidents.
func (b *book) noteStranger(i *Incident) {
	if i.Via == "" {
		return
	}
	key := strangersKey(i.Rule, i.Via)
	if list := addStranger(b.strangers[key], i); len(list) > 0 {
		b.strangers[key] = list
	}
}

func (b *book) applyStrangers(s *step) {
	for _, m := range s.Strangers {
		known := b.crowds[m.Incident]
		if known == nil {
			known = map[uint64]bool{}
			b.crowds[m.Incident] = known
		}
		if len(known) < strangersKnown {
			known[hashOfID(m.ID)] = true
		}
	}
}

// crowdsInOrder is what a snapshot keeps of the incidents of many.
func (b *book) crowdsInOrder() map[string][]uint64 {
	all := make(map[string][]uint64, len(b.crowds))
	for id, known := range b.crowds {
		list := make([]uint64, 0, len(known))
		for h := range known {
			list = append(list, h)
		}
		slices.Sort(list)
		all[id] = list
	}
	return all
}

// seenBy is the device under which a call's identities are remembered: those of strangers under who brought them, for they may be any
// number.
func (c call) seenBy() string {
	if c.via == "" {
		return c.topic.Device
	}
	return "?" + c.via
}

// rememberedAs is an identity as it is kept there.
func (c call) rememberedAs(id string) string {
	if c.via == "" {
		return id
	}
	return c.topic.Device + "|" + id
}
