package registry

import "watchhouse/telemetry"

// Behind is how many registered devices send by a principal's connection beside itself: the children of a gateway; for a bridge all
// devices of foreign models, since no record says which of several bridges a device is on.
func (v *View) Behind(id string) int {
	if d, ok := v.state.Devices[id]; ok {
		if d.Kind != telemetry.Gateway {
			return 0
		}
		return len(v.Children(id))
	}
	for _, g := range v.state.Access[id] {
		if g.Publish {
			return len(v.locator.speakers().byAddress)
		}
	}
	return 0
}
