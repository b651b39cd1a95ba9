package telemetry

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestKnownEvent(t *testing.T) {
	common := strings.Fields("smoke heat door tilt opened emptied bag_on_ground")
	vocabulary := map[Kind][]string{
		EmergencyButton: strings.Fields("sos cancel fall test tamper"),
		SafetyHouse:     strings.Fields("panic duress check_in check_out presence patrol_scan depart arrive complete report"),
		SortingPoint:    nil, RecyclablesPoint: nil, Garage: nil, Gateway: nil, "street_lamp": nil, "": nil,
	}
	all := slices.Concat(common, vocabulary[EmergencyButton], vocabulary[SafetyHouse], []string{"", "help", "SOS", "sos "})
	for kind, own := range vocabulary {
		for _, typ := range all {
			want := slices.Contains(common, typ) || slices.Contains(own, typ)
			if got := KnownEvent(kind, typ); got != want {
				t.Errorf("%q of kind %q is known: %v, want %v", typ, kind, got, want)
			}
		}
	}
	for _, typ := range all {
		if want := slices.Contains([]string{"depart", "arrive", "complete", "report"}, typ); NeedsAssignment(typ) != want {
			t.Errorf("%q needs an assignment: %v, want %v", typ, !want, want)
		}
	}
}

func TestDefaultReportInterval(t *testing.T) {
	for _, tc := range []struct {
		kind  Kind
		power Power
		want  time.Duration
	}{
		{EmergencyButton, Mains, 300 * time.Second},
		{EmergencyButton, Battery, 14400 * time.Second},
		{EmergencyButton, "", 300 * time.Second},
		{SafetyHouse, Mains, 30 * time.Second},
		{SafetyHouse, Battery, 30 * time.Second},
		{Gateway, "", 300 * time.Second},
		{SortingPoint, Battery, time.Hour},
		{RecyclablesPoint, "", time.Hour},
		{Garage, Mains, time.Hour},
		{"street_lamp", "", time.Hour},
	} {
		if got := DefaultReportInterval(tc.kind, tc.power); got != tc.want {
			t.Errorf("%s on %q: %v, want %v", tc.kind, tc.power, got, tc.want)
		}
	}
}

func TestNames(t *testing.T) {
	for s, want := range map[string]bool{
		"a": true, "A-1_b": true, "0": true, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, "": false,
		"-a": false, "_a": false, "a.b": false, "a/b": false, "a b": false, "é": false, "a\x00": false, "a~b": false, "a@": false, "a[": false,
	} {
		if ValidID(s) != want {
			t.Errorf("id %q is valid: %v, want %v", s, !want, want)
		}
	}
	for k, want := range map[Kind]bool{"garage": true, "a_b": true, "": false, "Garage": false, "a1": false, "a-b": false, Kind(strings.Repeat("x", 65)): false} {
		if k.Valid() != want {
			t.Errorf("kind %q is valid: %v, want %v", k, !want, want)
		}
	}
	for _, k := range Kinds() {
		if !k.Valid() || !k.Known() {
			t.Errorf("shipped kind %q is not valid and known", k)
		}
	}
	if Kind("street_lamp").Known() || !Power("").Valid() || !Mains.Valid() || Power("wind").Valid() {
		t.Error("kinds or powers are taken for others")
	}
	for typ, want := range map[string]bool{"receipt": true, "offer": true, "stand_down": true, "roll_call": true, "test_mode": true, "reboot": false, "": false} {
		if KnownCommand(typ) != want {
			t.Errorf("command %q is known: %v, want %v", typ, !want, want)
		}
	}
}

func TestMetricsTable(t *testing.T) {
	contract := strings.Fields(`fill_wet_pct fill_dry_pct fill_recyclable_pct fill_hazardous_pct weight_wet_kg temp_c nh3_ppm
		battery_pct battery_v rssi_dbm mains`)
	table := Metrics()
	for _, name := range contract {
		if !slices.ContainsFunc(table, func(m MetricInfo) bool { return m.Name == name }) {
			t.Errorf("%s is missing", name)
		}
	}
	for i, m := range table {
		if i > 0 && table[i-1].Name >= m.Name {
			t.Errorf("%s is out of order", m.Name)
		}
		if m.LabelZH == "" || m.LabelEN == "" || !validMetricName([]byte(m.Name)) || m.Unit != unitOf(m.Name) || InfoOf(m.Name) != m {
			t.Errorf("%+v: label, name or unit is wrong", m)
		}
	}
	for _, m := range table {
		name := []byte(m.Name)
		if n := testing.AllocsPerRun(10, func() { _ = metricName(name) }); n != 0 {
			t.Errorf("the shipped metric %s costs %v allocations a reading", m.Name, n)
		}
	}
	if got := InfoOf("soil_mm"); got != (MetricInfo{"soil_mm", "mm", "soil_mm", "soil_mm"}) {
		t.Errorf("an unknown metric is described as %+v", got)
	}
	if got := InfoOf("presses"); got.Unit != "" {
		t.Errorf("a metric without unit has %q", got.Unit)
	}
}
