package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"watchhouse/telemetry"
)

const square = `{"type":"Polygon","coordinates":[[[121,31],[122,31],[122,32],[121,31]]]}`

func collection(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
}

func area(id, name, rest string) string {
	return fmt.Sprintf(`{"type":"Feature","properties":{"id":%q,"name":%q%s},"geometry":%s}`, id, name, rest, square)
}

func TestImportAreas(t *testing.T) {
	r := openTest(t)
	check(t, r.PutAreas(t.Context(), "t", []Area{{ID: "a1", Name: "old", AutoDispatch: "off"}, {ID: "a9", Name: "kept"}}))
	multi := strings.Replace(area("a2", "乙", ""), square, `{"type":"MultiPolygon","bbox":[1],"coordinates":[[[[1,2],[3,4],[5,6],[1,2]]]]}`, 1)
	file := "\xef\xbb\xbf" + collection(area("a1", " 甲居委 ", `,"name_en":"A Committee"`), multi)
	report, err := r.ImportAreas(t.Context(), "t", strings.NewReader(file))
	check(t, err)
	want := []Area{
		{ID: "a1", Name: "甲居委", NameEN: "A Committee", AutoDispatch: "off", Boundary: json.RawMessage(square)},
		{ID: "a2", Name: "乙", Boundary: json.RawMessage(`{"type":"MultiPolygon","coordinates":[[[[1,2],[3,4],[5,6],[1,2]]]]}`)},
		{ID: "a9", Name: "kept"},
	}
	if diff := cmp.Diff(want, r.View().Areas()); diff != "" || report.Added != 1 || report.Changed != 1 {
		t.Errorf("%+v, areas (-want +got):\n%s", report, diff)
	}
	before := r.View()
	if report, err := r.ImportAreas(t.Context(), "t", strings.NewReader(file)); err != nil || r.View() != before || report.Added+report.Changed != 0 {
		t.Errorf("the same file again: %v, revision %d, want no change", err, r.View().Revision())
	}
}

func TestImportAreasNamesEveryFault(t *testing.T) {
	geometry := func(g string) string { return collection(strings.Replace(area("a", "x", ""), square, g, 1)) }
	for _, tc := range []struct {
		name, file string
		want       FeatureErrors
	}{
		{"empty", "", FeatureErrors{{0, "", "GeoJSON", "not JSON"}}},
		{"no JSON", "<kml>", FeatureErrors{{0, "", "GeoJSON", "not JSON from byte 1"}}},
		{"other type", square, FeatureErrors{{0, "type", "FeatureCollection", `"Polygon"`}}},
		{"no features", collection(), FeatureErrors{{0, "features", "at least one", "none"}}},
		{"features of another type", `{"type":"FeatureCollection","features":{}}`, FeatureErrors{{0, "", "GeoJSON", "a object as features"}}},
		{
			"shifted", `{"type":"FeatureCollection","crs":{"properties":{"name":"GCJ02"}},"features":[` + area("a", "x", "") + `]}`,
			FeatureErrors{{0, "crs", "EPSG:4490", "another"}},
		},
		{
			"several", collection(area("", "x", ""), area("b", "", ""), area("c", "x", `,"auto_dispatch":"maybe"`), area("d", "x", ""), area("d", "y", "")),
			FeatureErrors{
				{1, "properties.id", "1 to 64", "nothing"},
				{2, "properties.name", "one line", "nothing"},
				{3, "properties.auto_dispatch", "on, suggest, off", `"maybe"`},
				{5, "properties.id", "once", `"d" as in feature 4`},
			},
		},
		{
			"number as id", strings.Replace(collection(area("a", "x", "")), `"id":"a"`, `"id":1`, 1),
			FeatureErrors{{1, "properties.id", "a string", "another"}, {1, "properties.id", "1 to 64", "nothing"}},
		},
		{"no geometry", geometry("null"), FeatureErrors{{1, "geometry", "Polygon", "none"}}},
		{"point", geometry(`{"type":"Point","coordinates":[1,2]}`), FeatureErrors{{1, "geometry.type", "Polygon", `"Point"`}}},
		{
			"open ring", geometry(`{"type":"Polygon","coordinates":[[[1,2],[3,4],[5,6],[7,8]]]}`),
			FeatureErrors{{1, "geometry.coordinates", "end where they begin", "another"}},
		},
		{
			"latitude first", geometry(`{"type":"Polygon","coordinates":[[[31,121],[32,121],[32,122],[31,121]]]}`),
			FeatureErrors{{1, "geometry.coordinates", "longitude from -180", "another"}},
		},
		{"no coordinates", geometry(`{"type":"Polygon"}`), FeatureErrors{{1, "geometry.coordinates", "arrays of rings", "another"}}},
		{"text as coordinates", geometry(`{"type":"MultiPolygon","coordinates":"x"}`), FeatureErrors{{1, "geometry.coordinates", "arrays of rings", "another"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := openTest(t)
			_, err := r.ImportAreas(t.Context(), "t", strings.NewReader(tc.file))
			var faults FeatureErrors
			if !errors.As(err, &faults) || len(faults) != len(tc.want) {
				t.Fatalf("error:\n%v\nwant:\n%v", err, tc.want)
			}
			for i, w := range tc.want {
				g := faults[i]
				if g.Feature != w.Feature || g.Member != w.Member || !strings.Contains(g.Want, w.Want) || !strings.Contains(g.Got, w.Got) {
					t.Errorf("fault %d is %q, want %q", i, g, w)
				}
			}
			if len(r.View().Areas()) != 0 {
				t.Error("a faulty file was imported in part")
			}
		})
	}
}

func TestAreaRules(t *testing.T) {
	r := openTest(t)
	mustPut(t, r, nil, Device{ID: "early", Kind: telemetry.Garage, Area: "later"}) // no area is registered yet
	for name, a := range map[string]Area{
		"bad id": {ID: "a b", Name: "x"}, "no name": {ID: "a"}, "bad setting": {ID: "a", Name: "x", AutoDispatch: "yes"},
		"bad boundary": {ID: "a", Name: "x", Boundary: json.RawMessage("{")},
	} {
		if err := r.PutAreas(t.Context(), "t", []Area{{ID: "ok", Name: "x"}, a}); err == nil || len(r.View().Areas()) != 0 {
			t.Errorf("%s: error %v, %d areas, want a refusal of all", name, err, len(r.View().Areas()))
		}
	}
	check(t, r.PutAreas(t.Context(), "t", []Area{{ID: "a1", Name: "x"}}))
	if _, err := r.PutDevices(t.Context(), "t", []Device{{ID: "d", Kind: telemetry.Garage, Area: "nowhere"}}, nil); err == nil {
		t.Error("an unknown area was accepted")
	}
	mustPut(t, r, nil, Device{ID: "early", Kind: telemetry.Garage, Area: "later", Name: "renamed"}) // keeps what it had
	mustPut(t, r, nil, Device{ID: "d", Kind: telemetry.Garage, Area: "a1"})
	if err := r.DeleteArea(t.Context(), "t", "a1"); !errors.Is(err, ErrInUse) {
		t.Errorf("deleting an area in use: %v, want ErrInUse", err)
	}
	check(t, r.DeleteDevice(t.Context(), "t", "d"))
	check(t, r.DeleteArea(t.Context(), "t", "a1"))
	if err := r.DeleteArea(t.Context(), "t", "a1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleting it twice: %v, want ErrNotFound", err)
	}
}
