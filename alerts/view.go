package alerts

import (
	"slices"
	"strings"
)

// View is the immutable live state.
type View struct {
	Seq       uint64      // number of the last transition
	Now       int64       // the engine's time, Unix ms
	Incidents []*Incident // open ones and those closed in the last 24 h, by id
}

// Incident finds one by id.
func (v *View) Incident(id string) (*Incident, bool) {
	at, ok := slices.BinarySearchFunc(v.Incidents, id, compareID)
	if !ok {
		return nil, false
	}
	return v.Incidents[at], true
}

// after gives the view after a committed group: touched incidents as the book has them, forgotten ones gone.
func (v *View) after(b *book, touched map[string]struct{}, forgotten bool) *View {
	next := &View{Seq: b.seq, Now: b.now, Incidents: v.Incidents}
	if len(touched) == 0 && !forgotten {
		return next
	}
	list := slices.Clone(v.Incidents)
	for id := range touched {
		i, ok := b.incidents[id]
		if !ok {
			continue
		}
		if at, had := slices.BinarySearchFunc(v.Incidents, id, compareID); had {
			list[at] = i
		} else {
			list = append(list, i)
		}
	}
	if n := len(v.Incidents); len(list) > n && !slices.IsSortedFunc(list[max(n-1, 0):], byID) {
		slices.SortFunc(list, byID)
	}
	if forgotten {
		list = slices.DeleteFunc(list, func(i *Incident) bool { return b.incidents[i.ID] == nil })
	}
	next.Incidents = list
	return next
}

// viewOf makes the view of a book from nothing.
func viewOf(b *book) *View {
	v := &View{Seq: b.seq, Now: b.now, Incidents: make([]*Incident, 0, len(b.incidents))}
	for _, i := range b.incidents {
		v.Incidents = append(v.Incidents, i)
	}
	slices.SortFunc(v.Incidents, byID)
	return v
}

func byID(a, b *Incident) int { return strings.Compare(a.ID, b.ID) }

func compareID(i *Incident, id string) int { return strings.Compare(i.ID, id) }
