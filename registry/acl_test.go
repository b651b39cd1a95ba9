package registry

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"watchhouse/telemetry"
)

// subdistrict is a registry with a gateway and its child, another gateway and its child, a lone button and three accounts.
func subdistrict(t *testing.T) *Registry {
	t.Helper()
	r := openTest(t)
	mustPut(t, r, nil,
		Device{ID: "gw", Kind: telemetry.Gateway}, Device{ID: "gw2", Kind: telemetry.Gateway},
		Device{ID: "child", Kind: telemetry.EmergencyButton, Gateway: "gw"},
		Device{ID: "child2", Kind: telemetry.EmergencyButton, Gateway: "gw2"},
		Device{ID: "btn", Kind: telemetry.EmergencyButton},
		Device{ID: "house", Kind: telemetry.SafetyHouse})
	for id, grants := range map[string][]Grant{
		"observer": {{Filter: "wh/v1/+/event", Subscribe: true}, {Filter: "wh/v1/btn/#", Subscribe: true}},
		"bridge":   {{Filter: "wh/v1/+/telemetry", Publish: true}, {Filter: "chirpstack/#", Publish: true, Subscribe: true}},
		"all":      {{Filter: "#", Publish: true, Subscribe: true}},
	} {
		_, err := r.PutAccess(t.Context(), "t", id, grants, "")
		check(t, err)
	}
	return r
}

func (r *Registry) mustPrincipal(t *testing.T, id string) Principal {
	t.Helper()
	p, err := r.View().principal(id)
	check(t, err)
	return p
}

var publishRights = []struct {
	who, topic string
	want       bool
}{
	{"btn", "wh/v1/btn/event", true},
	{"btn", "wh/v1/btn/telemetry", true},
	{"btn", "wh/v1/btn/status", true},
	{"btn", "wh/v1/btn/command/ack", true},
	{"btn", "wh/v1/btn/command", false}, // only the hub commands
	{"btn", "wh/v1/btn/other", false},
	{"btn", "wh/v1/btn/event/x", false},
	{"btn", "wh/v1/btn", false},
	{"btn", "wh/v1/btn/", false},
	{"btn", "wh/v1/btn2/event", false},
	{"btn", "wh/v1/house/event", false},
	{"btn", "wh/v1/BTN/event", false},
	{"btn", "wh/v2/btn/event", false},
	{"btn", "/wh/v1/btn/event", false},
	{"btn", "$SYS/broker", false},
	{"btn", "", false},
	{"btn", "wh/v1/btn/child/unknown/event", false}, // no gateway
	{"btn", "wh/v1/gw/child/btn/event", false},

	{"gw", "wh/v1/gw/event", true},
	{"gw", "wh/v1/gw/child/child/event", true},
	{"gw", "wh/v1/gw/child/child/telemetry", true},
	{"gw", "wh/v1/gw/child/child/status", true},
	{"gw", "wh/v1/gw/child/child/command/ack", true},
	{"gw", "wh/v1/gw/child/child/command", false},
	{"gw", "wh/v1/gw/child/unknown/event", true}, // a call from an unknown place
	{"gw", "wh/v1/gw/child/unknown/telemetry", false},
	{"gw", "wh/v1/gw/child/unknown/status", false},
	{"gw", "wh/v1/gw/child/unknown/command/ack", false},
	{"gw", "wh/v1/gw/child/child2/event", false}, // behind the other gateway
	{"gw", "wh/v1/gw/child/btn/event", false},    // behind none
	{"gw", "wh/v1/gw/child/house/event", false},
	{"gw", "wh/v1/gw/child/gw/event", false},
	{"gw", "wh/v1/gw2/child/child2/event", false},
	{"gw", "wh/v1/gw2/child/child/event", false},
	{"gw", "wh/v1/child/event", false}, // a child has its own connection for that
	{"gw", "wh/v1/gw/child/bad id/event", false},

	{"observer", "wh/v1/btn/event", false}, // may only read
	{"bridge", "wh/v1/btn/telemetry", true},
	{"bridge", "wh/v1/btn/event", false},
	{"bridge", "wh/v1/gw/child/child/telemetry", false},
	{"bridge", "chirpstack/application/1", true},
	{"bridge", "chirpstack", true},
	{"bridge", "chirpstack/+", false}, // no topic
	{"bridge", "chirpstack2", false},
	{"all", "anything/at/all", true},
	{"all", "$SYS/x", false},
	{"all", "a\x00b", false},
	{"all", "", false},
}

func TestMayPublish(t *testing.T) {
	r := subdistrict(t)
	for _, tc := range publishRights {
		if got := r.MayPublish(r.mustPrincipal(t, tc.who), tc.topic); got != tc.want {
			t.Errorf("%s publishes %q: %v, want %v", tc.who, tc.topic, got, tc.want)
		}
	}
}

func TestMaySubscribe(t *testing.T) {
	r := subdistrict(t)
	for _, tc := range []struct {
		who, filter string
		want        bool
	}{
		{"btn", "wh/v1/btn/command", true},
		{"btn", "wh/v1/btn/#", true},
		{"btn", "wh/v1/btn/+", true},
		{"btn", "$share/g/wh/v1/btn/command", true},
		{"btn", "wh/v1/btn", false},
		{"btn", "wh/v1/btn2/command", false},
		{"btn", "wh/v1/btn#", false},
		{"btn", "wh/v1/+/command", false},
		{"btn", "wh/v1/#", false},
		{"btn", "wh/#", false},
		{"btn", "+/v1/btn/command", false},
		{"btn", "#", false},
		{"btn", "$SYS/#", false},
		{"btn", "$share/g/#", false},
		{"btn", "$SHARE/g/wh/v1/house/command", false},
		{"btn", "$share/wh/v1/btn/command", false}, // wh is the group, v1/btn/command the filter
		{"btn", "$share/g", false},
		{"btn", "$share/g/", false},
		{"btn", "$share//wh/v1/btn/command", false},
		{"btn", "", false},
		{"gw", "wh/v1/gw/child/+/command", true},
		{"gw", "wh/v1/gw/child/child/command", true},
		{"gw", "wh/v1/gw2/child/+/command", false},

		{"observer", "wh/v1/btn/event", true},
		{"observer", "wh/v1/+/event", true},
		{"observer", "$share/shift/wh/v1/+/event", true},
		{"observer", "$Share/shift/wh/v1/+/+", false},
		{"observer", "wh/v1/btn/telemetry", true},
		{"observer", "wh/v1/btn", true}, // btn/# includes its parent
		{"observer", "wh/v1/house/telemetry", false},
		{"observer", "wh/v1/+/telemetry", false},
		{"observer", "wh/v1/+/#", false},
		{"observer", "wh/v1/#", false},
		{"observer", "#", false},
		{"observer", "wh/v1/btn/#/x", false},
		{"bridge", "chirpstack/#", true},
		{"bridge", "wh/v1/btn/telemetry", false}, // may only write
		{"all", "#", true},
		{"all", "+/+", true},
		{"all", "$SYS/#", false},
		{"all", "$share/g/$SYS/#", false},
	} {
		if got := r.MaySubscribe(r.mustPrincipal(t, tc.who), tc.filter); got != tc.want {
			t.Errorf("%s subscribes %q: %v, want %v", tc.who, tc.filter, got, tc.want)
		}
	}
}

func TestRightsEndWithTheEntry(t *testing.T) {
	r := subdistrict(t)
	button, bridge, gateway := r.mustPrincipal(t, "btn"), r.mustPrincipal(t, "bridge"), r.mustPrincipal(t, "gw")
	check(t, r.DeleteDevice(t.Context(), "t", "btn"))
	check(t, r.DeleteAccess(t.Context(), "t", "bridge"))
	mustPut(t, r, nil, Device{ID: "child", Kind: telemetry.EmergencyButton, Gateway: "gw2"})
	if r.MayPublish(button, "wh/v1/btn/event") || r.MaySubscribe(button, "wh/v1/btn/command") {
		t.Error("a deleted device kept rights")
	}
	if r.MayPublish(bridge, "wh/v1/a/telemetry") || r.MaySubscribe(bridge, "chirpstack/#") {
		t.Error("a deleted account kept rights")
	}
	if r.MayPublish(gateway, "wh/v1/gw/child/child/event") {
		t.Error("a gateway kept the rights on a child that moved")
	}
	if r.MayPublish(Principal{}, "wh/v1/x/event") || r.MaySubscribe(Principal{}, "wh/v1/x/event") {
		t.Error("nobody has rights")
	}
}

func TestAccessRules(t *testing.T) {
	r := subdistrict(t)
	ok := []Grant{{Filter: "a/#", Publish: true}}
	for name, tc := range map[string]struct {
		id     string
		grants []Grant
		secret string
	}{
		"id of a device":    {"btn", ok, ""},
		"bad id":            {"a/b", ok, ""},
		"no grants":         {"x", nil, ""},
		"too many grants":   {"x", make([]Grant, maxGrants+1), ""},
		"bad filter":        {"x", []Grant{{Filter: "a/#/b", Publish: true}}, ""},
		"half wildcard":     {"x", []Grant{{Filter: "a/b+", Publish: true}}, ""},
		"empty filter":      {"x", []Grant{{Publish: true}}, ""},
		"shared filter":     {"x", []Grant{{Filter: "$share/g/a", Subscribe: true}}, ""},
		"neither direction": {"x", []Grant{{Filter: "a"}}, ""},
		"short secret":      {"x", ok, "1234567"},
		"NUL in the filter": {"x", []Grant{{Filter: "a\x00", Publish: true}}, ""},
		"filter not UTF-8":  {"x", []Grant{{Filter: "\xff", Publish: true}}, ""},
		"filter of 65536":   {"x", []Grant{{Filter: strings.Repeat("a", 65536), Publish: true}}, ""},
	} {
		if _, err := r.PutAccess(t.Context(), "t", tc.id, tc.grants, tc.secret); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	first, err := r.PutAccess(t.Context(), "t", "x", ok, "")
	check(t, err)
	kept, err := r.PutAccess(t.Context(), "t", "x", append(ok, Grant{Filter: "b", Subscribe: true}), "")
	check(t, err)
	if _, err := r.Authenticate("x", "x", []byte(first)); err != nil || first == "" || kept != "" {
		t.Errorf("changing grants must keep the secret: made %q, then %q, %v", first, kept, err)
	}
	if _, err := r.PutDevices(t.Context(), "t", []Device{{ID: "x", Kind: telemetry.Garage}}, nil); err == nil {
		t.Error("a device took the id of an access account")
	}
}

// matches is MQTT's matching of a topic, written out as the standard says it (4.7), as the measure for covers.
func matches(filter, topic string) bool {
	f, t := strings.Split(filter, "/"), strings.Split(topic, "/")
	if strings.HasPrefix(t[0], "$") && (f[0] == "+" || f[0] == "#") {
		return false
	}
	for i, level := range f {
		if level == "#" {
			return true
		}
		if i >= len(t) {
			return false
		}
		if level != "+" && level != t[i] {
			return false
		}
		if i == len(t)-1 && i+2 == len(f) && f[i+1] == "#" {
			return true
		}
	}
	return len(f) == len(t)
}

func levels(names ...string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(names), 1, 4).Draw(t, "levels"), "/")
	})
}

// What a grant covers, no topic escapes; and a topic is covered exactly when it matches.
func TestCoversIsSound(t *testing.T) {
	filters, topics := levels("a", "b", "", "+", "#", "$a"), levels("a", "b", "", "$a")
	rapid.Check(t, func(t *rapid.T) {
		grant, filter, topic := filters.Draw(t, "grant"), filters.Draw(t, "filter"), topics.Draw(t, "topic")
		if !validFilter(grant) || !validFilter(filter) || topic == "" {
			return
		}
		if got, want := covers(grant, topic), matches(grant, topic); got != want {
			t.Fatalf("grant %q covers topic %q: %v, want %v", grant, topic, got, want)
		}
		if covers(grant, filter) && matches(filter, topic) && !matches(grant, topic) {
			t.Fatalf("grant %q covers filter %q, but not its topic %q", grant, filter, topic)
		}
	})
}

func FuzzFilters(f *testing.F) {
	for _, s := range [][3]string{
		{"wh/v1/+/event", "wh/v1/btn/event", "wh/v1/btn/event"},
		{"#", "$SYS/#", "$SYS/x"},
		{"a/#", "a", "a"},
		{"+/#", "#", "/"},
		{"$share/g/a", "a//", "a//"},
	} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, grant, filter, topic string) {
		if !validFilter(grant) || !validFilter(filter) || !validTopic(topic) {
			return
		}
		if covers(grant, topic) != matches(grant, topic) {
			t.Errorf("grant %q, topic %q: covers says %v", grant, topic, covers(grant, topic))
		}
		if covers(grant, filter) && matches(filter, topic) && !matches(grant, topic) {
			t.Errorf("topic %q escapes grant %q through filter %q", topic, grant, filter)
		}
	})
}
