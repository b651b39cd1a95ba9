package catalog

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"watchhouse/internal/strictyaml"
	"watchhouse/telemetry"
)

func shippedCatalog(tb testing.TB) *Catalog {
	tb.Helper()
	c, err := Shipped()
	if err != nil {
		tb.Fatalf("the shipped catalog: %v", err)
	}
	return c
}

func TestKnownEvent(t *testing.T) {
	c := shippedCatalog(t)
	common := strings.Fields("smoke heat door tilt opened emptied bag_on_ground leak vape") // the last two are of profiles.yaml
	if got := c.CommonEvents(); !slices.Equal(got, slices.Sorted(slices.Values(common))) {
		t.Errorf("common events %v, want %v", got, common)
	}
	vocabulary := map[telemetry.Kind][]string{
		telemetry.EmergencyButton: strings.Fields("sos cancel fall test tamper"),
		telemetry.SafetyHouse:     strings.Fields("panic duress check_in check_out presence patrol_scan depart arrive complete report"),
		telemetry.SortingPoint:    nil, telemetry.RecyclablesPoint: nil, telemetry.Garage: nil, telemetry.Gateway: nil, "street_lamp": nil, "": nil,
	}
	all := slices.Concat(common, vocabulary[telemetry.EmergencyButton], vocabulary[telemetry.SafetyHouse], []string{"", "help", "SOS", "sos "})
	for kind, own := range vocabulary {
		for _, typ := range all {
			want := slices.Contains(common, typ) || slices.Contains(own, typ)
			if got := c.KnownEvent(kind, typ); got != want {
				t.Errorf("%q of kind %q is known: %v, want %v", typ, kind, got, want)
			}
		}
	}
}

// The intervals of DESIGN section 4.
func TestReportInterval(t *testing.T) {
	c := shippedCatalog(t)
	for _, tc := range []struct {
		kind  telemetry.Kind
		power telemetry.Power
		want  time.Duration
	}{
		{telemetry.EmergencyButton, telemetry.Mains, 300 * time.Second},
		{telemetry.EmergencyButton, telemetry.Battery, 14400 * time.Second},
		{telemetry.EmergencyButton, "", 300 * time.Second},
		{telemetry.SafetyHouse, telemetry.Mains, 30 * time.Second},
		{telemetry.SafetyHouse, telemetry.Battery, 30 * time.Second},
		{telemetry.Gateway, "", 300 * time.Second},
		{telemetry.SortingPoint, telemetry.Battery, time.Hour},
		{telemetry.RecyclablesPoint, "", time.Hour},
		{telemetry.Garage, telemetry.Mains, time.Hour},
		{"street_lamp", "", time.Hour},
	} {
		if got := c.ReportInterval(tc.kind, tc.power, ""); got != tc.want {
			t.Errorf("%s on %q: %v, want %v", tc.kind, tc.power, got, tc.want)
		}
	}
}

func TestMetricsOfTheContract(t *testing.T) {
	c := shippedCatalog(t)
	for name := range strings.FieldsSeq(`fill_wet_pct fill_dry_pct fill_recyclable_pct fill_hazardous_pct weight_wet_kg temp_c nh3_ppm
		battery_pct battery_v rssi_dbm mains`) {
		if m := c.Metric(name); m.ZH == name || m.Unit != telemetry.UnitOf(name) {
			t.Errorf("%s is described as %+v", name, m)
		}
	}
	if got := c.Metric("soil_mm"); got != (Metric{"soil_mm", "mm", "soil_mm", "soil_mm"}) {
		t.Errorf("a metric in no file is described as %+v", got)
	}
}

const lamp = `version: 1
metrics:
  - {name: lux, unit: lx, zh: 照度, en: Light}
kinds:
  - id: street_lamp
    title: {zh: 路灯, en: Street lamp}
    events: [dark]
    metrics: [lux]
    report_interval: 10m
models:
  - {id: lamp-1, title: {zh: 路灯一型, en: Lamp 1}, kind: street_lamp, power: mains, report_interval: 1m}
`

func TestAFileAddsAKind(t *testing.T) {
	c, err := Parse(Source{"lamp.yaml", []byte(lamp)})
	if err != nil {
		t.Fatal(err)
	}
	if !c.KnownEvent("street_lamp", "dark") || !c.KnownEvent("street_lamp", "smoke") || c.KnownEvent("garage", "dark") {
		t.Error("the events of the new kind are not those of the file and the common ones")
	}
	if c.ReportInterval("street_lamp", "", "") != 10*time.Minute || c.ReportInterval("street_lamp", "", "lamp-1") != time.Minute {
		t.Error("the interval of the kind or of the model is not the file's")
	}
	if c.Metric("lux").Unit != "lx" || len(c.Kinds()) != len(shippedCatalog(t).Kinds())+1 {
		t.Error("the metric or the kind is missing")
	}
}

func TestFaultsNameThePlace(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"not YAML":       {"version: [", "x.yaml:1:"},
		"misspelt key":   {"version: 1\nkindz: []\n", "x.yaml:2:1"},
		"version":        {"version: 2\n", "x.yaml:1:10: want version 1"},
		"twice":          {"version: 1\nkinds:\n  - {id: garage, title: {zh: 库, en: G}}\n", "x.yaml:3:10: kind garage is defined twice"},
		"no title":       {"version: 1\nkinds:\n  - {id: lamp}\n", "want a title in both languages"},
		"bad id":         {"version: 1\nkinds:\n  - {id: Lamp-1, title: {zh: 灯, en: L}}\n", "x.yaml:3:10: want 1 to 64"},
		"bad event":      {"version: 1\nkinds:\n  - {id: lamp, title: {zh: 灯, en: L}, events: [\"On Fire\"]}\n", "want a word"},
		"unknown metric": {"version: 1\nkinds:\n  - {id: lamp, title: {zh: 灯, en: L}, metrics: [lux]}\n", "metric lux is not described"},
		"unknown kind":   {"version: 1\nmodels:\n  - {id: m, title: {zh: 灯, en: L}, kind: lamp}\n", "kind lamp is not defined"},
		"long interval":  {"version: 1\nkinds:\n  - {id: lamp, title: {zh: 灯, en: L}, report_interval: 999h}\n", "up to 30 days"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(Source{"x.yaml", []byte(tc.text)})
			if _, ok := errors.AsType[*strictyaml.FaultError](err); !ok || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want a fault with %q", err, tc.want)
			}
		})
	}
}
