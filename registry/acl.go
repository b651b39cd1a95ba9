package registry

import (
	"strings"

	"watchhouse/telemetry"
)

// MayPublish decides by default against. A device may publish on its own topics, a gateway on those of its children
// (wh/v1/{gateway}/child/{device}/…); nobody but the hub on a command topic. A child that is not registered at all may only
// send events: that is a call from an unknown place. A child of another gateway may send nothing. A device whose model speaks a
// profile that names no device in its topics (v1/devices/me/telemetry) may publish there, too. Bridges have their grants.
// The decision is by the registry of now: a deleted device has no rights left, whatever its connection was told.
func (r *Registry) MayPublish(p Principal, topic string) bool {
	v := r.View()
	if p.Kind == "" {
		return validTopic(topic) && v.granted(p.ID, topic, func(g Grant) bool { return g.Publish })
	}
	t, err := telemetry.ParseTopic(topic)
	if err != nil {
		return v.locator.speaksOn(p.ID, topic)
	}
	if t.Channel == telemetry.ChannelCommand {
		return false
	}
	self, known := v.state.Devices[p.ID]
	switch {
	case !known:
		return false
	case t.Gateway == "":
		return t.Device == p.ID
	case t.Gateway != p.ID || self.Kind != telemetry.Gateway:
		return false
	}
	child, known := v.state.Devices[t.Device]
	if !known {
		return t.Channel == telemetry.ChannelEvent
	}
	return child.Gateway == p.ID
}

// MaySubscribe decides by default against. A device may subscribe below its own prefix, which for a gateway holds its
// children's commands, and to what its platform would answer it; bridges and observers to what a grant covers entirely. A shared subscription is judged by its filter.
func (r *Registry) MaySubscribe(p Principal, filter string) bool {
	filter, ok := unshare(filter)
	if !ok || !validFilter(filter) {
		return false
	}
	v := r.View()
	if p.Kind == "" {
		return v.granted(p.ID, filter, func(g Grant) bool { return g.Subscribe })
	}
	if _, known := v.state.Devices[p.ID]; !known {
		return false
	}
	rest, ok := strings.CutPrefix(filter, "wh/v1/")
	if !ok {
		return v.locator.hears(p.ID, filter)
	}
	device, _, below := strings.Cut(rest, "/")
	return below && device == p.ID
}

// granted reports whether one grant of the account alone covers the filter.
func (v *View) granted(id, filter string, right func(Grant) bool) bool {
	for _, g := range v.state.Access[id] {
		if right(g) && covers(g.Filter, filter) {
			return true
		}
	}
	return false
}
