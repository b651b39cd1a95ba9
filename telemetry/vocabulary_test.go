package telemetry

import (
	"slices"
	"strings"
	"testing"
)

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
	if !Power("").Valid() || !Mains.Valid() || Power("wind").Valid() {
		t.Error("kinds or powers are taken for others")
	}
	for typ, want := range map[string]bool{"receipt": true, "offer": true, "stand_down": true, "roll_call": true, "test_mode": true, "reboot": false, "": false} {
		if KnownCommand(typ) != want {
			t.Errorf("command %q is known: %v, want %v", typ, !want, want)
		}
	}
}

func TestNeedsAssignment(t *testing.T) {
	for typ := range strings.FieldsSeq("depart arrive complete report sos panic check_in smoke help") {
		if want := slices.Contains([]string{"depart", "arrive", "complete", "report"}, typ); NeedsAssignment(typ) != want {
			t.Errorf("%q needs an assignment: %v, want %v", typ, !want, want)
		}
	}
}

func TestUnits(t *testing.T) {
	for name, want := range map[string]string{"soil_mm": "mm", "presses": "", "temp_c": "°C", "rssi_dbm": "dBm", "snr_db": "dB", "mains": ""} {
		if got := UnitOf(name); got != want {
			t.Errorf("unit of %s is %q, want %q", name, got, want)
		}
	}
}
