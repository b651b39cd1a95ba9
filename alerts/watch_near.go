package alerts

import (
	"cmp"
	"math"
	"slices"
)

// A device is compared with at least and at most this many others.
const (
	minNear = 3
	maxNear = 8
)

// nearby groups the watched devices of one revision by kind with place, and by kind with area. It is made when somebody asks,
// and a device that is first heard afterwards is added: so within a generation a group only grows.
type nearby struct {
	places, areas map[string][]*watched // nil = not made for this revision
	generation    uint64
}

// nearStamp says of what a device's neighbours were chosen: the generation and how many there were to choose from.
type nearStamp struct {
	generation    uint64
	places, areas int
}

// nearTo gives the devices of the same kind at the same place, else the nearest of the same area. They are looked for again
// when the registry has changed or another one that might be nearer was heard for the first time.
func (w *watch) nearTo(d *watched) []*watched {
	if w.near.places == nil {
		w.group()
	}
	place, area := w.near.places[groupKey(d, d.reg.Place)], w.near.areas[groupKey(d, d.reg.Area)]
	stamp := nearStamp{w.near.generation, len(place), len(area)}
	if d.nearAs == stamp {
		return d.near
	}
	d.nearAs = stamp
	d.near = others(place, d)
	if d.reg.Place == "" || len(d.near) < minNear {
		d.near = others(area, d)
	}
	slices.SortFunc(d.near, func(a, b *watched) int {
		return cmp.Or(cmp.Compare(distance(d, a), distance(d, b)), cmp.Compare(a.id, b.id))
	})
	d.near = slices.Clone(d.near[:min(len(d.near), maxNear)]) // a group may be thousands
	return d.near
}

func (w *watch) group() {
	w.near = nearby{places: map[string][]*watched{}, areas: map[string][]*watched{}, generation: w.near.generation + 1}
	for _, d := range w.devices {
		if d = w.device(d.id); d != nil {
			w.near.add(d)
		}
	}
}

func (n *nearby) add(d *watched) {
	if n.places == nil || d.spec == nil {
		return
	}
	place, area := groupKey(d, d.reg.Place), groupKey(d, d.reg.Area)
	n.places[place], n.areas[area] = append(n.places[place], d), append(n.areas[area], d)
}

func groupKey(d *watched, where string) string { return string(d.reg.Kind) + "/" + where }

func others(list []*watched, d *watched) []*watched {
	return slices.DeleteFunc(slices.Clone(list), func(o *watched) bool { return o.id == d.id }) // a twin is no neighbour of its own
}

// distance is good for order only; what has no position is far away.
func distance(a, b *watched) float64 {
	if a.reg.Lat == nil || a.reg.Lon == nil || b.reg.Lat == nil || b.reg.Lon == nil {
		return math.MaxFloat64
	}
	dy := *a.reg.Lat - *b.reg.Lat
	dx := (*a.reg.Lon - *b.reg.Lon) * math.Cos(*a.reg.Lat*math.Pi/180)
	return dx*dx + dy*dy
}
