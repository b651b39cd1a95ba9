package alerts

import (
	"maps"
	"slices"
)

// classFire is that of smoke and heat.
const classFire Class = "fire"

// confirmed reports whether a second detector says fire: another rule of the same device, or another device of the same place.
// Incidents of other devices get the badge as well.
func (x *draft) confirmed(r *rule, s signal) bool {
	found := false
	for _, other := range x.fires() {
		switch {
		case other.Device == s.device:
			x.eachCondition(other.ID, func(c *Condition) { found = found || c.Active && x.otherSense(r, c.Rule) })
		case x.samePlace(other.Device, s.device):
			found = true
			x.confirm(other)
		}
	}
	return found
}

// fires lists the open fires by id.
func (x *draft) fires() []*Incident {
	all := map[string]*Incident{}
	for _, incidents := range []map[string]*Incident{x.book.incidents, x.moved} { // as of this step last
		for id, i := range incidents {
			if delete(all, id); i.Class == classFire && i.Open() && i.Active {
				all[id] = i
			}
		}
	}
	return slices.SortedFunc(maps.Values(all), byID)
}

// otherSense reports whether another rule goes by something else than this one: smoke that a detector tells, heat that is
// measured. Two rules about one thermometer are one detector.
func (x *draft) otherSense(r *rule, id string) bool {
	o, ok := x.rules.byID[id]
	return ok && o.Kind != r.Kind
}

func (x *draft) samePlace(a, b string) bool {
	one, known := x.places.Device(a)
	two, registered := x.places.Device(b)
	return known && registered && one.Place != "" && one.Place == two.Place
}

func (x *draft) confirm(was *Incident) {
	if was.HasBadge(BadgeConfirmed) {
		return
	}
	i := was.clone()
	i.badge(BadgeConfirmed)
	x.emit(KindNoted, engineActor, "second detector", was.State, i)
}
