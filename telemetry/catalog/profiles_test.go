package catalog

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"watchhouse/internal/strictyaml"
	"watchhouse/telemetry"
	"watchhouse/telemetry/profile"
)

// What the issue asks to be shipped.
func TestShippedProfilesAndModels(t *testing.T) {
	c := shippedCatalog(t)
	for model, want := range map[string]string{
		"milesight-ws101": "chirpstack", "milesight-em310-udl": "chirpstack", "milesight-em400": "chirpstack", "milesight-gs601": "chirpstack",
		"dragino-pb01": "chirpstack", "dragino-dds75": "chirpstack",
		"zigbee-sos-button": "zigbee2mqtt", "zigbee-any-button": "zigbee2mqtt", "zigbee-smoke": "zigbee2mqtt", "zigbee-leak": "zigbee2mqtt",
		"zigbee-contact":     "zigbee2mqtt",
		"thingsboard-button": "thingsboard", "thingsboard-sensor": "thingsboard",
	} {
		m, ok := c.Model(model)
		if !ok || m.Profile != want || m.Mapping() == nil {
			t.Errorf("model %s is of profile %q, want %s", model, m.Profile, want)
			continue
		}
		// A call must not be lost because the kind does not know its word.
		for _, typ := range m.Mapping().Events() {
			if !c.KnownEvent(m.Kind, typ) {
				t.Errorf("kind %s of model %s does not know event %s", m.Kind, model, typ)
			}
		}
		if p, _ := c.Profile(want); !slices.Contains(p.Models(), m.Mapping()) {
			t.Errorf("profile %s does not try model %s for strangers", want, model)
		}
	}
}

const acme = `version: 1
profiles:
  - id: acme
    title: {zh: 甲公司, en: Acme}
    topics:
      - topic: acme/{address}/up
        carries: model
        time: t
        time_form: unix_s
models:
  - id: acme-button
    title: {zh: 甲公司按钮, en: Acme button}
    kind: emergency_button
    profile: acme
    fields:
      - {path: "keys[].state", event: {down: sos, up: ""}}
      - {path: volts, metric: battery_v, scale: 0.01}
`

// A deployment may read a topic in its own way that a shipped profile reads, too: its way goes first.
func TestAFileReadsAShippedTopicItsOwnWay(t *testing.T) {
	const topic = "/sys/+/{address}/thing/event/property/post"
	c, err := Parse(Source{"acme.yaml", []byte(strings.Replace(acme, "acme/{address}/up", topic, 1))})
	if err != nil {
		t.Fatal(err)
	}
	var owners []string
	for m := range c.Matches("/sys/pk/dev-1/thing/event/property/post") {
		if owners = append(owners, m.Profile.ID); m.Address != "dev-1" {
			t.Errorf("profile %s reads the address %q", m.Profile.ID, m.Address)
		}
	}
	if len(owners) < 2 || owners[0] != "acme" || owners[1] != "alink" {
		t.Errorf("read by %v", owners)
	}
}

// A deployment adds a bridge of its own without Go.
func TestAFileAddsAProfile(t *testing.T) {
	c, err := Parse(Source{"acme.yaml", []byte(acme)})
	if err != nil {
		t.Fatal(err)
	}
	_, e, address, ok := c.Envelope("acme/b-17/up")
	if !ok || address != "b-17" {
		t.Fatalf("the topic has address %q, known %v", address, ok)
	}
	m, _ := c.Model("acme-button")
	got, err := profile.Reader{Envelope: e, Model: m.Mapping()}.Read([]byte(`{"t":1795755600,"keys":[{"state":"up"},{"state":"DOWN"}],"volts":"301"}`))
	if err != nil || len(got.Events) != 1 || got.Events[0].Type != telemetry.EventSOS || *got.Events[0].TS != 1795755600000 {
		t.Errorf("a press says %+v, %v", got, err)
	}
	if m := got.Readings[0].Metrics[0]; m.Name != "battery_v" || m.Value != 3.01 {
		t.Errorf("the voltage is %+v", m)
	}
}

func TestAModelOfASensorFitsOtherKinds(t *testing.T) {
	c := shippedCatalog(t)
	for _, tc := range []struct {
		model string
		kind  telemetry.Kind
		want  bool
	}{
		{"zigbee-contact", telemetry.SafetyHouse, true},
		{"milesight-em310-udl", telemetry.RecyclablesPoint, true},
		{"milesight-ws101", telemetry.Garage, false}, // nobody would hear its sos
		{"zigbee-smoke", "no_such_kind", true},
	} {
		m, _ := c.Model(tc.model)
		if got := c.Suits(m, tc.kind); got != tc.want {
			t.Errorf("%s as a %s: %v, want %v", tc.model, tc.kind, got, tc.want)
		}
	}
}

func TestFaultsOfProfilesNameThePlace(t *testing.T) {
	for name, tc := range map[string]struct{ old, new, want string }{
		"misspelt key of a topic": {"carries: model", "carry: model", "x.yaml:7:9"},
		"misspelt key of a field": {"scale: 0.01", "scala: 0.01", "x.yaml:17:42"},
		"what it carries":         {"carries: model", "carries: readings", "x.yaml:7:18: want model, fields, status, life, bridge or nothing"},
		"form of the time":        {"unix_s", "epoch", "x.yaml:9:20: want rfc3339, unix_s, unix_ms or basic"},
		"our own topics":          {"acme/{address}/up", "wh/v1/{address}/up", "x.yaml:6:16: want a first level other than wh and $share"},
		"two addresses":           {"acme/{address}/up", "acme/{address}/{address}", "want at most one address and one field"},
		"a wildcard":              {"acme/{address}/up", "acme/#", "want levels of plain text"},
		"a topic twice":           {"    topics:\n", "    topics:\n      - {topic: \"acme/{address}/up\", carries: life}\n", "is defined twice"},
		"a shipped profile":       {"id: acme\n", "id: chirpstack\n", "x.yaml:3:9: profile chirpstack is defined twice"},
		"no such profile":         {"profile: acme", "profile: acne", "x.yaml:14:14: profile acne is not defined"},
		"fields without profile":  {"    profile: acme\n", "", "need a profile"},
		"no meaning":              {", event: {down: sos, up: \"\"}", "", "x.yaml:16:10: want one of metric, fill, event, level and online"},
		"two meanings":            {"scale: 0.01", "level: smoke", "want one of metric, fill, event, level and online"},
		"an unknown event":        {"down: sos", "down: help", "event help is in the vocabulary of no kind"},
		"not an event type":       {"down: sos", "down: Help Me", "want event types"},
		"a path":                  {"path: volts", "path: volts..x", "x.yaml:17:16: want names joined by dots"},
		"an array of numbers":     {"path: volts", "path: \"volts[]\"", "pick"},
		"a metric's name":         {"battery_v", "Battery voltage", "want 1 to 64 letters"},
		"scale of an event":       {"up: \"\"}", "up: \"\"}, scale: 2", "are of a metric or a fill level"},
		"on without off":          {"metric: battery_v, scale: 0.01", "level: smoke, on: [burning]", "want both on and off"},
		"fill without settings":   {"metric: battery_v, scale: 0.01", "fill: true", "want empty_mm, full_mm and stream"},
		"settings that cannot be": {"    kind: emergency_button\n", "    kind: emergency_button\n    settings: {empty_mm: \"100\", full_mm: \"200\", stream: wet}\n", "settings.full_mm"},
		"bytes of no form":        {"    fields:\n", "    bytes: [{channel: 1, type: 2, parts: [{path: a, form: u24}]}]\n    fields:\n", "want u8, i8"},
		"bytes out of range":      {"    fields:\n", "    bytes: [{channel: 300, type: 2, size: 1}]\n    fields:\n", "from 0 to 255"},
		"bytes twice":             {"    fields:\n", "    bytes: [{channel: 1, type: 2, size: 1}, {channel: 1, type: 2, size: 2}]\n    fields:\n", "given twice"},
		"bytes of no size":        {"    fields:\n", "    bytes: [{channel: 1, type: 2}]\n    fields:\n", "want parts, or a size"},
		"body of no model":        {"carries: model", "carries: life\n        body: x", "are of a topic that carries a model"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(acme, tc.old, tc.new, 1)
			if text == acme {
				t.Fatal("the fault is not in the file")
			}
			_, err := Parse(Source{"x.yaml", []byte(text)})
			if _, ok := errors.AsType[*strictyaml.FaultError](err); !ok || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "x.yaml:") {
				t.Errorf("got %v, want a fault with %q", err, tc.want)
			}
		})
	}
}

// A call whose path ends early is a call that cannot be read; where there is nothing, there is no call.
func TestACallInAnotherShapeIsUnread(t *testing.T) {
	c, err := Parse(Source{"x.yaml", []byte(acme)})
	if err != nil {
		t.Fatal(err)
	}
	_, e, _, _ := c.Envelope("acme/k-1/up")
	m, _ := c.Model("acme-button")
	for payload, want := range map[string]struct {
		events int
		unread bool
	}{
		`{"keys":[{"state":"down"}]}`:        {1, false},
		`{"keys":"down"}`:                    {0, true},
		`{"keys":{"state":"down"}}`:          {0, true},
		`{"keys":["down"]}`:                  {0, true},
		`{"keys":[["down"]]}`:                {0, true},
		`{"keys":[{"state":"down"},"down"]}`: {1, true},
		`{"keys":[{"state":{"x":1}}]}`:       {0, true},
		`{"keys":[{"state":"up"},null,{}]}`:  {0, false},
		`{"keys":[""]}`:                      {0, false},
		`{"keys":[]}`:                        {0, false},
		`{"keys":""}`:                        {0, false},
		`{"keys":null}`:                      {0, false},
		`{"volts":301}`:                      {0, false},
	} {
		got, err := profile.Reader{Envelope: e, Model: m.Mapping()}.Read([]byte(payload))
		if len(got.Events) != want.events || (got.Unread != nil) != want.unread || (err != nil) != want.unread {
			t.Errorf("%s says %+v, %v", payload, got, err)
		}
		if got.Unread != nil && got.Unread.Field != "keys[].state" {
			t.Errorf("%s: the field is %q", payload, got.Unread.Field)
		}
	}
}

// The example of the documentation is a file that the program takes.
func TestTheDocumentedProfileIsSound(t *testing.T) {
	text, err := os.ReadFile("../../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\nversion: 1\nprofiles:")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/wire.md has no example")
	}
	c, err := Parse(Source{"wire.md", []byte("version: 1\nprofiles:" + example)})
	if err != nil {
		t.Fatal(err)
	}
	_, e, _, _ := c.Envelope("acme/k-1/up")
	m, _ := c.Model("acme-button")
	got, err := profile.Reader{Envelope: e, Model: m.Mapping()}.Read([]byte(`{"t":1795755600,"session":7,"data":{"key":{"state":"Down"},"cover":"open","volts":301}}`))
	if err != nil || got.Identity != "7/0" || len(got.Events) != 1 || len(got.Levels) != 1 || len(got.Readings) != 1 {
		t.Errorf("a message of the example says %+v, %v", got, err)
	}
}
