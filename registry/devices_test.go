package registry

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"watchhouse/telemetry"
)

func TestDeviceRules(t *testing.T) {
	garage := func(change func(*Device)) Device {
		d := Device{ID: "d", Kind: telemetry.Garage}
		change(&d)
		return d
	}
	for _, tc := range []struct {
		name, field string
		d           Device
	}{
		{"no id", "id", garage(func(d *Device) { d.ID = "" })},
		{"id with slash", "id", garage(func(d *Device) { d.ID = "a/b" })},
		{"id of an account", "id", garage(func(d *Device) { d.ID = "obs" })},
		{"no kind", "kind", garage(func(d *Device) { d.Kind = "" })},
		{"kind in capitals", "kind", garage(func(d *Device) { d.Kind = "Garage" })},
		{"misspelt kind", "kind", garage(func(d *Device) { d.Kind = "emergency_buttom" })},
		{"half a place", "lat", garage(func(d *Device) { d.Lat = new(float64(31)) })},
		{"latitude", "lat", garage(func(d *Device) { d.Lat, d.Lon = new(float64(121)), new(float64(31)) })},
		{"longitude", "lon", garage(func(d *Device) { d.Lat, d.Lon = new(float64(31)), new(float64(181)) })},
		{"no number", "lat", garage(func(d *Device) { d.Lat, d.Lon = new(float64(math.NaN())), new(float64(31)) })},
		{"infinite", "lon", garage(func(d *Device) { d.Lat, d.Lon = new(float64(31)), new(float64(math.Inf(1))) })},
		{"power", "power", garage(func(d *Device) { d.Power = "wind" })},
		{"negative interval", "report_interval_s", garage(func(d *Device) { d.ReportInterval = -time.Second })},
		{"fraction of a second", "report_interval_s", garage(func(d *Device) { d.ReportInterval = 1500 * time.Millisecond })},
		{"interval of a year", "report_interval_s", garage(func(d *Device) { d.ReportInterval = 365 * 24 * time.Hour })},
		{"two lines", "name", garage(func(d *Device) { d.Name = "a\nb" })},
		{"not UTF-8", "model", garage(func(d *Device) { d.Model = "\xff" })},
		{"unknown gateway", "gateway", garage(func(d *Device) { d.Gateway = "gw9" })},
		{"itself as gateway", "gateway", garage(func(d *Device) { d.ID, d.Kind, d.Gateway = "g", telemetry.Gateway, "g" })},
		{"gateway of another kind", "gateway", garage(func(d *Device) { d.Gateway = "btn" })},
		{"unknown person", "person", garage(func(d *Device) { d.Person = "p" })},
		{"gateway with children", "kind", garage(func(d *Device) { d.ID = "gw" })},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := subdistrict(t)
			_, err := r.PutAccess(t.Context(), "t", "obs", []Grant{{Filter: "a", Subscribe: true}}, "")
			check(t, err)
			before := r.View()
			_, err = r.PutDevices(t.Context(), "t", []Device{{ID: "fine", Kind: telemetry.Garage}, tc.d}, nil)
			var invalid *InvalidError
			if !errors.As(err, &invalid) || invalid.Field != tc.field || r.View() != before {
				t.Errorf("error %v, want one on %s and no change", err, tc.field)
			}
		})
	}
	r := openTest(t)
	_, err := r.PutDevices(t.Context(), "t", []Device{{ID: "a"}, {ID: "b"}, {ID: "c", Kind: "k"}, {ID: "c", Kind: "k"}}, nil)
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("error %v, want three faults", err)
	}
}

func TestOpenVocabularyOfKinds(t *testing.T) {
	r := openTest(t)
	for _, kind := range []telemetry.Kind{"street_lamp", "door", "x", "water_meter"} {
		mustPut(t, r, nil, Device{ID: string(kind), Kind: kind})
	}
	for kind, want := range map[telemetry.Kind]telemetry.Kind{
		"emergency_buton": telemetry.EmergencyButton, "emergencybutton": telemetry.EmergencyButton, "safety_houses": telemetry.SafetyHouse,
		"gateways": telemetry.Gateway, "emergency_button": "", "street_lamp": "", "gate": "",
	} {
		if got := misspelt(r.View().Catalog(), kind); got != want {
			t.Errorf("%q is taken for %q, want %q", kind, got, want)
		}
	}
}

func TestDeviceInUseStays(t *testing.T) {
	r := subdistrict(t)
	if err := r.DeleteDevice(t.Context(), "t", "gw"); !errors.Is(err, ErrInUse) {
		t.Errorf("deleting a gateway with a child: %v, want ErrInUse", err)
	}
	check(t, r.DeleteDevice(t.Context(), "t", "child"))
	check(t, r.DeleteDevice(t.Context(), "t", "gw"))
	if err := r.DeleteDevice(t.Context(), "t", "gw"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleting it twice: %v, want ErrNotFound", err)
	}
}

func TestViewLists(t *testing.T) {
	r := subdistrict(t)
	v := r.View()
	ids := func(ds []Device) string {
		var names []string
		for _, d := range ds {
			names = append(names, d.ID)
		}
		return strings.Join(names, " ")
	}
	if got := ids(v.Devices()); got != "btn child child2 gw gw2 house" {
		t.Errorf("devices %s", got)
	}
	if got := ids(v.Children("gw")) + "|" + ids(v.Children("btn")); got != "child|" {
		t.Errorf("children %s", got)
	}
	if got := ids(v.Houses()); got != "house" {
		t.Errorf("houses %s", got)
	}
	if got := strings.Join(keysOf(v.Access()), " "); got != "all bridge observer" {
		t.Errorf("accounts %s", got)
	}
	check(t, r.DeleteDevice(t.Context(), "t", "house"))
	if _, ok := v.Device("house"); !ok || len(v.Devices()) != 6 {
		t.Error("an old view changed")
	}
	if _, ok := r.View().Device("house"); ok || len(r.View().Houses()) != 0 {
		t.Error("the new view did not")
	}
}

func TestInterval(t *testing.T) {
	button := Device{Kind: telemetry.EmergencyButton, Power: telemetry.Battery}.In(openTest(t).View().Catalog())
	if got := button.Interval(); got != 4*time.Hour {
		t.Errorf("battery button: %v, want the default of 4 h", got)
	}
	button.ReportInterval = time.Minute
	if got := button.Interval(); got != time.Minute {
		t.Errorf("its own interval: %v, want 1 min", got)
	}
}

// The JSON of a device is part of the HTTP contract.
func TestDeviceJSON(t *testing.T) {
	text, err := json.Marshal(Device{ID: "d", Kind: telemetry.Garage, Lat: new(float64(31)), Lon: new(float64(121)), ReportInterval: time.Hour, HasSecret: true})
	check(t, err)
	if want := `{"id":"d","kind":"garage","lat":31,"lon":121,"has_secret":true}`; string(text) != want {
		t.Errorf("JSON %s, want %s", text, want)
	}
}
