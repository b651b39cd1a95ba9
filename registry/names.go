package registry

import (
	"strings"

	"watchhouse/telemetry"
)

// names keep one copy of texts that many devices share, such as kind and model: a hundred thousand devices have a few of them.
type names map[string]string

func (n names) one(s string) string {
	if s == "" {
		return ""
	}
	known, ok := n[s]
	if !ok {
		known = strings.Clone(s)
		n[known] = known
	}
	return known
}

// share makes the device use the one copy of what it shares with others.
func (n names) share(d *Device) {
	d.Kind, d.Power = telemetry.Kind(n.one(string(d.Kind))), telemetry.Power(n.one(string(d.Power)))
	d.Model, d.Area, d.Place, d.Gateway, d.Settings = n.one(d.Model), n.one(d.Area), n.one(d.Place), n.one(d.Gateway), n.one(d.Settings)
}

// apart gives the device in memory of its own, apart from the row that it was read from.
func (n names) apart(d Device) Device {
	n.share(&d)
	d.ID, d.Name, d.Address, d.Person = strings.Clone(d.ID), strings.Clone(d.Name), strings.Clone(d.Address), strings.Clone(d.Person)
	return d
}

// shareOp does so for an operation that was read.
func (n names) shareOp(o op) {
	if o.Device != nil {
		n.share(&o.Device.Device)
	}
	if o.Sealed != nil {
		o.Sealed.Key = n.one(o.Sealed.Key)
	}
}
