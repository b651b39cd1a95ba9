package speak

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"watchhouse/simulators/device"
	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
	"watchhouse/telemetry/profile"
)

var noon = time.Date(2026, 7, 1, 4, 0, 0, 0, time.UTC)

// rig is a device of a model and the hub's reader of what it says.
type rig struct {
	t       *testing.T
	shipped *catalog.Catalog
	spec    device.Spec
	device  *device.Device
	model   *profile.Model
	mount   profile.Mount
}

func newRig(t *testing.T, shipped *catalog.Catalog, m *catalog.Model) rig {
	t.Helper()
	r := rig{t: t, shipped: shipped, model: m.Mapping(), spec: device.Spec{
		ID: "d-1", Address: "24e124535b316056", Kind: m.Kind, Power: m.Power, Model: m.ID, Interval: 10 * time.Minute, Settings: "empty_mm=1500;full_mm=300;stream=wet",
	}}
	if len(m.Settings) == 0 {
		r.spec.Settings = ""
	}
	voice, system, err := For(r.spec)
	if err != nil || voice == nil || system != m.Profile {
		t.Fatalf("the shipped model %s speaks through %q, %v; want %s", m.ID, system, err, m.Profile)
	}
	if r.mount, err = r.model.Mount(r.spec.Settings); err != nil {
		t.Fatal(err)
	}
	r.device = device.New(r.spec, device.Options{Seed: 7, Start: noon, Voice: voice})
	return r
}

// read takes a message for what the hub makes of it.
func (r rig) read(m device.Message) profile.Content {
	r.t.Helper()
	p, e, address, ok := r.shipped.Envelope(m.Topic())
	if !ok || address != "" && p.Key(address) != r.spec.Address {
		r.t.Fatalf("%s: profile %v, address %q", m.Topic(), p, address)
	}
	reader := profile.Reader{Envelope: e}
	if e.Carries() == profile.CarriesModel {
		reader.Model, reader.Mount = r.model, r.mount
	}
	c, err := reader.Read(m.Payload)
	if err != nil {
		r.t.Fatalf("%s: %v", m.Payload, err)
	}
	return c
}

// Whatever a shipped model measures in two days, the hub reads the same numbers at the same time, and no event in them.
func TestTheHubReadsWhatModelsMeasure(t *testing.T) {
	for r := range rigs(t) {
		t.Run(r.spec.Model, func(t *testing.T) {
			r.t = t
			seen := 0
			for now := r.device.Due(); now.Before(noon.Add(48 * time.Hour)); now = r.device.Due() {
				for _, m := range r.device.Tick(now) {
					if m.Type != "" {
						continue
					}
					seen++
					r.measured(m)
				}
			}
			if seen < 200 {
				t.Errorf("it spoke %d times", seen)
			}
		})
	}
}

func (r rig) measured(m device.Delivery) {
	r.t.Helper()
	c := r.read(m.Message)
	if len(c.Readings) != 1 || len(c.Events) != 0 || slices.ContainsFunc(c.Levels, func(l profile.Level) bool { return l.On }) {
		r.t.Fatalf("%s is read as %+v", m.Payload, c)
	}
	have := r.said(m.Message, c)
	if mm, ok := have["distance_mm"]; ok {
		if fill := have["fill_wet_pct"]; math.Abs(fill-(1500-mm)/12) > 0.1 {
			r.t.Errorf("%v mm are read as %v %%", mm, fill)
		}
	}
}

// said wants the reading that a message tells it holds, and gives what was read.
func (r rig) said(m device.Message, c profile.Content) map[string]float64 {
	r.t.Helper()
	if len(m.Said) != len(c.Readings) || len(m.Said) > 0 && len(m.Said[0].Values) == 0 {
		r.t.Fatalf("%s holds %+v, says %+v", m.Payload, c.Readings, m.Said)
	}
	if len(m.Said) == 0 {
		return nil
	}
	have := map[string]float64{}
	for _, metric := range c.Readings[0].Metrics {
		have[metric.Name] = metric.Value
	}
	if ts := c.Readings[0].TS; (ts == nil) != (m.Said[0].TS == 0) || ts != nil && *ts != m.Said[0].TS {
		r.t.Fatalf("%s has the time %v, want %d", m.Payload, ts, m.Said[0].TS)
	}
	for name, want := range m.Said[0].Values {
		if v, ok := have[name]; !ok || v != want {
			r.t.Errorf("%s: %s is %v (%v), want %v", m.Payload, name, v, ok, want)
		}
	}
	return have
}

// rigs gives one of each shipped model of the systems that are spoken here.
func rigs(t *testing.T) func(func(rig) bool) {
	t.Helper()
	shipped, err := catalog.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(rig) bool) {
		n := 0
		for _, m := range shipped.Models() {
			if !slices.Contains([]string{ChirpStack, Zigbee2MQTT, ThingsBoard}, m.Profile) {
				continue // nobody here speaks it
			}
			n++
			if !yield(newRig(t, shipped, m)) {
				return
			}
		}
		if n < 13 {
			t.Errorf("only %d models", n)
		}
	}
}

// What a model has words for is an event at the hub; what it has none for is not sent.
func TestTheHubReadsWhatModelsCall(t *testing.T) {
	says := map[string]string{
		"milesight-ws101": "sos", "milesight-em310-udl": "tilt", "milesight-em400": "tilt", "milesight-gs601": "heat", "dragino-pb01": "sos",
		"dragino-dds75": "", "zigbee-sos-button": "sos", "zigbee-any-button": "sos", "zigbee-smoke": "smoke", "zigbee-leak": "leak",
		"zigbee-contact": "opened", "thingsboard-button": "sos", "thingsboard-sensor": "door",
	}
	for r := range rigs(t) {
		want, known := says[r.spec.Model]
		if !known {
			t.Errorf("%s: nobody knows what it says", r.spec.Model)
		}
		var have []string
		r.device.Tick(r.device.Due()) // so that there is something to repeat
		for _, typ := range []string{"sos", "tilt", "heat", "smoke", "leak", "opened", "door"} {
			for _, m := range r.device.Event(noon, typ) {
				c := r.read(m.Message)
				r.said(m.Message, c)
				for _, e := range c.Events {
					have = append(have, e.Type)
				}
				for _, l := range c.Levels {
					if l.On {
						have = append(have, l.Type)
					}
				}
			}
		}
		if want == "" && len(have) != 0 || want != "" && !slices.Contains(have, want) {
			t.Errorf("%s says %v, want %s", r.spec.Model, have, want)
		}
	}
}

// The faults are those of the model's own messages: broken JSON on the model's topic, a repeat of the same bytes.
func TestFaultsInOtherWords(t *testing.T) {
	for r := range rigs(t) {
		now := r.device.Due()
		r.device.SetFaults(device.Faults{Malformed: 1, Duplicate: 1})
		out := r.device.Tick(now)
		if len(out) < 2 || json.Valid(out[0].Payload) || out[0].Said != nil || string(out[0].Payload) != string(out[1].Payload) {
			t.Errorf("%s: have %v", r.spec.Model, out)
		}
		if m := r.device.Raw(telemetry.ChannelEvent, []byte("x")); m.Topic() != out[0].Topic() {
			t.Errorf("%s: garbage goes to %s", r.spec.Model, m.Topic())
		}
	}
}

// A fire in a garage is an alarm that the GS601 tells once, and smoke of a Zigbee detector as long as there is some.
func TestAFireInOtherWords(t *testing.T) {
	for r := range rigs(t) {
		if r.spec.Model != "milesight-gs601" && r.spec.Model != "zigbee-smoke" {
			continue
		}
		lit, err := r.device.Burn(noon, true)
		if err != nil || len(lit) != 2 {
			t.Fatalf("%s: %v, %v", r.spec.Model, lit, err)
		}
		on := r.read(lit[0].Message)
		for range 5 {
			r.device.Tick(r.device.Due())
		}
		if _, err = r.device.Burn(noon.Add(time.Minute), false); err != nil {
			t.Fatal(err)
		}
		off, over := profile.Content{}, false
		for range 10 {
			for _, m := range r.device.Tick(r.device.Due()) {
				over = over || strings.Contains(string(m.Payload), "burning alarm deactivation")
				if c := r.read(m.Message); len(c.Levels)+len(c.Events) > 0 {
					off = c
				}
			}
		}
		told := len(on.Levels) == 1 && on.Levels[0].On && len(off.Levels) == 1 && !off.Levels[0].On
		if r.spec.Model == "milesight-gs601" {
			told = len(on.Events) == 1 && on.Events[0].Type == "heat" && over && len(off.Events)+len(off.Levels) == 0
		}
		if !told {
			t.Errorf("%s: %+v when it burns, %+v afterwards", r.spec.Model, on, off)
		}
	}
}

func TestAvailability(t *testing.T) {
	for r := range rigs(t) {
		m, ok := r.device.Announce()
		if zigbee := strings.HasPrefix(r.spec.Model, "zigbee"); ok != zigbee {
			t.Errorf("%s announces itself: %v", r.spec.Model, ok)
		}
		if !ok {
			continue
		}
		if c := r.read(m); !m.Retain || c.Online == nil || !*c.Online {
			t.Errorf("%s is read as %+v", m.Payload, c)
		}
	}
}

func TestForNamesTheFault(t *testing.T) {
	if voice, system, err := For(device.Spec{ID: "a", Model: "sim-point-4g"}); voice != nil || system != "" || err != nil {
		t.Errorf("a device of wh/v1: %v, %q, %v", voice, system, err)
	}
	if _, _, err := For(device.Spec{ID: "a", Model: "dragino-dds75", Settings: "empty_mm=tall"}); err == nil || !strings.Contains(err.Error(), "a: settings: empty_mm") {
		t.Errorf("have %v", err)
	}
}
