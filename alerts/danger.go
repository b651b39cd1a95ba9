package alerts

import (
	"slices"

	"watchhouse/registry"
	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// tellsFire reports whether a device can tell of smoke or heat: what it says and nobody can read may be that. A model says what its
// devices can tell. Where none is given the kind decides: it is one that rules of class fire are about.
func (d *decider) tellsFire(device registry.Device, k *catalog.Catalog) bool {
	m, ok := k.Model(device.Model)
	if !ok || m.Mapping() == nil {
		return d.rules.fireKinds[device.Kind]
	}
	events := m.Mapping().Events()
	return slices.Contains(events, telemetry.EventSmoke) || slices.Contains(events, telemetry.EventHeat)
}

// noteFireKinds remembers which kinds of device a rule expects fire of.
func (r *Rules) noteFireKinds(x *rule) {
	if x.Class != classFire {
		return
	}
	for _, k := range x.Scope {
		r.fireKinds[k] = true
	}
}
