package registry

import (
	"cmp"
	"slices"

	"watchhouse/telemetry"
)

// Bridge gives an account that may publish as the device which it is for those who watch over it: its id, of kind bridge. Accounts that
// only listen are none.
func (v *View) Bridge(id string) (Device, bool) {
	if !slices.ContainsFunc(v.state.Access[id], func(g Grant) bool { return g.Publish }) {
		return Device{}, false
	}
	return Device{ID: id, Kind: telemetry.Bridge, Name: id, Power: telemetry.Mains}.In(v.catalog), true
}

// Bridges lists them by id.
func (v *View) Bridges() []Device {
	var list []Device
	for id := range v.state.Access {
		if d, ok := v.Bridge(id); ok {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b Device) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
