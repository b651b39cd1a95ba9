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

// nearby groups the watched devices of one revision by kind with place, and by kind with area.
type nearby struct {
	places, areas map[string][]*watched
}

// nearTo gives the devices of the same kind at the same place, else the nearest of the same area. They are looked for again
// when the registry has changed or another device was heard for the first time.
func (w *watch) nearTo(d *watched) []*watched {
	if w.near == nil {
		w.group()
	}
	if d.nearIn == w.near {
		return d.near
	}
	d.nearIn = w.near
	d.near = others(w.near.places[groupKey(d, d.reg.Place)], d)
	if d.reg.Place == "" || len(d.near) < minNear {
		d.near = others(w.near.areas[groupKey(d, d.reg.Area)], d)
	}
	slices.SortFunc(d.near, func(a, b *watched) int {
		return cmp.Or(cmp.Compare(distance(d, a), distance(d, b)), cmp.Compare(a.id, b.id))
	})
	d.near = d.near[:min(len(d.near), maxNear)]
	return d.near
}

func (w *watch) group() {
	w.near = &nearby{places: map[string][]*watched{}, areas: map[string][]*watched{}}
	for _, d := range w.devices {
		if d = w.device(d.id); d == nil {
			continue
		}
		place, area := groupKey(d, d.reg.Place), groupKey(d, d.reg.Area)
		w.near.places[place] = append(w.near.places[place], d)
		w.near.areas[area] = append(w.near.areas[area], d)
	}
}

func groupKey(d *watched, where string) string { return string(d.reg.Kind) + "/" + where }

func others(list []*watched, d *watched) []*watched {
	return slices.DeleteFunc(slices.Clone(list), func(o *watched) bool { return o == d })
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
