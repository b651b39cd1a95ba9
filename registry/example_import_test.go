package registry_test

import (
	"bytes"
	"testing"

	"watchhouse/examples/hudong"
	"watchhouse/registry"
	"watchhouse/registry/registrytest"
	"watchhouse/telemetry"
)

// The shipped example must import as it stands.
func TestImportExampleSubdistrict(t *testing.T) {
	r := registrytest.Open(t)
	areas, err := r.ImportAreas(t.Context(), "test", bytes.NewReader(hudong.Areas))
	if err != nil {
		t.Fatalf("areas: %v", err)
	}
	places, err := r.ImportPlaces(t.Context(), "test", bytes.NewReader(hudong.Places))
	if err != nil || places.Added != 162 {
		t.Fatalf("%+v places, %v", places, err)
	}
	contacts, err := r.ImportContacts(t.Context(), "test", bytes.NewReader(hudong.Contacts))
	if err != nil || contacts.Added != 10 {
		t.Fatalf("%+v contacts, %v", contacts, err)
	}
	report, err := r.ImportCSV(t.Context(), "test", bytes.NewReader(hudong.Devices))
	if err != nil {
		t.Fatalf("devices: %v", err)
	}
	v := r.View()
	if areas.Added != 32 || report.Added != 402 || report.Changed != 0 || len(report.Generated) != 402 || len(v.Houses()) != 42 {
		t.Errorf("imported %+v areas, %d devices (%d changed, %d secrets), %d houses", areas, report.Added, report.Changed,
			len(report.Generated), len(v.Houses()))
	}
	for _, d := range v.Devices() {
		if _, ok := v.Area(d.Area); !ok {
			t.Errorf("%s is in area %q, which is not registered", d.ID, d.Area)
		}
		if p, ok := v.Place(d.Place); d.Place != "" && (!ok || p.Area != d.Area) {
			t.Errorf("%s stands at %q: %+v", d.ID, d.Place, p)
		}
		for _, duty := range registry.Duties() {
			if _, ok := v.Contact(duty, d.Area); !ok {
				t.Errorf("nobody has the duty %s in %s", duty, d.Area)
			}
		}
		if d.Kind == telemetry.EmergencyButton {
			if p, ok := v.Person(d.Person); !ok || p.MaskedName == "" || p.MaskedPhone == "" {
				t.Errorf("%s is of %+v (%v), want a masked person", d.ID, p, ok)
			}
		}
	}
	again, err := r.ImportCSV(t.Context(), "test", bytes.NewReader(hudong.Devices))
	if err != nil || again.Added+again.Changed+len(again.Generated) != 0 || r.View() != v {
		t.Errorf("importing the same file again gives %+v, %v and revision %d after %d, want no change", again, err,
			r.View().Revision(), v.Revision())
	}
}
