package registry

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchhouse/telemetry"
)

const lamps = `version: 1
kinds:
  - {id: street_lamp, title: {zh: 路灯, en: Street lamp}, report_interval: 10m}
models:
  - {id: lamp-1, title: {zh: 路灯一型, en: Lamp 1}, kind: street_lamp, power: battery, report_interval: 1m}
`

// openLamps opens a registry that knows a model of a battery-driven lamp.
func openLamps(t *testing.T) *Registry {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lamps.yaml")
	check(t, os.WriteFile(file, []byte(lamps), 0o600))
	p := newPlace(t)
	r, err := open(t.Context(), Config{KeyFile: p.key, Catalog: []string{file}}, p.chain, p.shelf)
	check(t, err)
	return r
}

func TestAModelFillsWhatTheRowLeavesEmpty(t *testing.T) {
	r := openLamps(t)
	mustPut(t, r, nil, Device{ID: "l1", Model: "lamp-1"}, Device{ID: "l2", Model: " lamp-1 ", Power: telemetry.Mains, ReportInterval: time.Hour})
	file := "id,kind,power,report_interval_s,model\nl3,,,,lamp-1\nl4,street_lamp,mains,3600,lamp-1\nl5,garage,,,lamp-2\n"
	_, err := r.ImportCSV(t.Context(), "t", strings.NewReader(file))
	check(t, err)
	for id, want := range map[string]struct {
		kind     telemetry.Kind
		power    telemetry.Power
		interval time.Duration
	}{
		"l1": {"street_lamp", telemetry.Battery, time.Minute}, "l2": {"street_lamp", telemetry.Mains, time.Hour},
		"l3": {"street_lamp", telemetry.Battery, time.Minute}, "l4": {"street_lamp", telemetry.Mains, time.Hour},
		"l5": {telemetry.Garage, "", time.Hour}, // of a model that nobody knows
	} {
		if d, _ := r.View().Device(id); d.Kind != want.kind || d.Power != want.power || d.Interval() != want.interval {
			t.Errorf("%s is a %s on %q heard every %v, want %+v", id, d.Kind, d.Power, d.Interval(), want)
		}
	}
}

func TestADeviceHasTheKindOfItsModel(t *testing.T) {
	r := openLamps(t)
	_, err := r.PutDevices(t.Context(), "t", []Device{{ID: "l1", Kind: telemetry.Garage, Model: "lamp-1"}}, nil)
	invalid, ok := errors.AsType[*InvalidError](err)
	if !ok || invalid.Field != "kind" || !strings.Contains(invalid.Want, "street_lamp, the kind of model lamp-1") {
		t.Errorf("error %v, want one that names the kind of the model", err)
	}
	_, err = r.ImportCSV(t.Context(), "t", strings.NewReader("id,kind,model\nl1,garage,lamp-1\nl2,,\n"))
	faults, ok := errors.AsType[ImportErrors](err)
	if !ok || len(faults) != 2 || faults[0].Row != 2 || faults[0].Column != "kind" || faults[1].Row != 3 || faults[1].Column != "kind" {
		t.Errorf("error %v, want the column kind of rows 2 and 3", err)
	}
}
