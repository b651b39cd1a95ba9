package dashboard_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"watchhouse/dashboard"
	"watchhouse/registry"
)

// upload sends a file as who it is.
func upload(c caller, name, file string) *http.Response {
	kind := "text/csv"
	if strings.HasSuffix(name, ".geojson") {
		kind = "application/geo+json"
	}
	return c.with("Content-Type", kind).do(http.MethodPost, "/api/v1/registry/"+name, file)
}

func TestFilesAreImported(t *testing.T) {
	h := registryHouse(t)
	m := h.as(registry.Maintainer)
	for _, step := range []struct {
		name, file, want string
	}{
		{"places.csv", "id,name,hours\ns-1,1号投放点,05:30-20:30\n", `{"added":1,"changed":0,"secrets":{}}`},
		{"places.csv", "id,hours\ns-1,\n", `{"added":0,"changed":1,"secrets":{}}`},
		{"contacts.csv", "id,duty,areas,name,phone\ncrew,sanitation,c-1;c-2,刘志生,15400010001\n", `{"added":1,"changed":0,"secrets":{}}`},
		{"areas.geojson", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"c-3","name":"罗山九村"},"geometry":{"type":"Polygon","coordinates":[[[121,31],[122,31],[122,32],[121,31]]]}}]}`, `{"added":1,"changed":0,"secrets":{}}`},
		{"devices.csv", "\xef\xbb\xbfid,kind,area,place,secret\nbin-1,sorting_point,c-3,s-1,a-chosen-secret\nbin-2,sorting_point,,,\n", `{"added":2,"changed":0,"secrets":{"bin-2":"`},
		{"devices.csv", "id,kind\nbin-1,sorting_point\n", `{"added":0,"changed":0,"secrets":{}}`},
	} {
		res := upload(m, step.name, step.file)
		if body := text(res); res.StatusCode != http.StatusOK || !strings.HasPrefix(body, step.want) || strings.Contains(body, "a-chosen-secret") {
			t.Errorf("%s: %d %s, want %s", step.name, res.StatusCode, body, step.want)
		}
	}
	trail := auditTrail(t, h)
	if e := trail[1]; e.Actor != "maintainer" || e.Action != "import" || e.Object != "devices" || e.Reason != "added 2, changed 0" {
		t.Errorf("the import left the record %+v", e)
	}
}

// A faulty file changes nothing, and each fault names row and column; what is secret is not repeated.
func TestFaultsOfFilesNameRowAndColumn(t *testing.T) {
	h := registryHouse(t)
	m := h.as(registry.Maintainer)
	before := h.reg.View()
	for _, tc := range []struct {
		name, file string
		want       []dashboard.FieldProblem
	}{
		{"devices.csv", "\n", []dashboard.FieldProblem{{Location: "body[1]", Row: 1, Message: "want a header with at least id,kind, got an empty file"}}},
		{"devices.csv", "id,kind,lat,lon,secret\nok,garage,,,\nbad,garage,91,1,hunter2\n", []dashboard.FieldProblem{
			{Location: "body[3].lat", Row: 3, Column: "lat", Message: `want degrees from -90 to 90, got "91"`},
		}},
		{"devices.csv", "id,kind,secret\na,garage,hunter2\n", []dashboard.FieldProblem{
			{Location: "body[2].secret", Row: 2, Column: "secret", Message: `want 8 to 256 bytes, or "generate", got 7 bytes`},
		}},
		{"places.csv", "id,name,hours\ns,x,dawn\n", []dashboard.FieldProblem{
			{Location: "body[2].hours", Row: 2, Column: "hours", Message: `want HH:MM-HH:MM, several with ; between, at most 256 bytes; 00:00-24:00 is all day, got "dawn"`},
		}},
		{"contacts.csv", "id,duty,name\nc,fire,\"刘\n志\"\n", []dashboard.FieldProblem{
			{Location: "body[2].name", Row: 2, Column: "name", Message: "want a name: at most 256 bytes of UTF-8 in one line, and not what a spreadsheet puts in a text's place (#N/A, 1.38E+10), got another text"},
		}},
		{"areas.geojson", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"c-3","name":"x"}}]}`, []dashboard.FieldProblem{
			{Location: "body[1].geometry", Row: 1, Column: "geometry", Message: "want a Polygon or MultiPolygon, got none"},
		}},
		{"areas.geojson", `{`, []dashboard.FieldProblem{{Location: "body[0]", Message: "want GeoJSON, got text that is not JSON from byte 1"}}},
	} {
		p := problem(t, upload(m, tc.name, tc.file), http.StatusUnprocessableEntity, "invalid")
		if !slices.Equal(p.Errors, tc.want) || !strings.Contains(p.Detail, "Nothing was imported") {
			t.Errorf("%s %q: %q %+v, want %+v", tc.name, tc.file, p.Detail, p.Errors, tc.want)
		}
	}
	if v := h.reg.View(); len(v.Devices()) != len(before.Devices()) || len(v.Places())+len(v.Contacts()) != 0 || len(v.Areas()) != len(before.Areas()) {
		t.Error("a faulty file changed the registry")
	}
}

// What was exported imports as no change, and holds neither secrets nor people.
func TestFilesAreExported(t *testing.T) {
	h := registryHouse(t)
	m := h.as(registry.Maintainer)
	upload(m, "places.csv", "id,name\ns-1,1号投放点\n")
	upload(m, "contacts.csv", "id,duty,name,phone\ncrew,fire,刘志生,15400010001\n")
	for name, want := range map[string]string{"devices.csv": "btn-1,emergency_button,1号101,c-1,", "places.csv": "s-1,1号投放点,", "contacts.csv": "crew,fire,,"} {
		res := m.do(http.MethodGet, "/api/v1/registry/"+name, nil)
		file := text(res)
		if res.StatusCode != http.StatusOK || !strings.Contains(file, want) || res.Header.Get("Content-Type") != "text/csv; charset=utf-8" ||
			res.Header.Get("Content-Disposition") != `attachment; filename="`+name+`"` {
			t.Errorf("%s: %d %v %q, want %q in it", name, res.StatusCode, res.Header, file, want)
		}
		for _, hidden := range []string{"王桂芳", "刘志生", "1540001", "1381234"} {
			if strings.Contains(file, hidden) {
				t.Errorf("%s holds %q", name, hidden)
			}
		}
		if name == "devices.csv" { // devices without a secret get one from an import
			continue
		}
		before := h.reg.View()
		if res := upload(m, name, file); res.StatusCode != http.StatusOK || h.reg.View() != before {
			t.Errorf("%s imports as %d %s, want no change", name, res.StatusCode, text(res))
		}
	}
}

func TestFilesByRole(t *testing.T) {
	h := registryHouse(t)
	for _, role := range registry.Roles() {
		may := role.Can(registry.PermDevices)
		for _, name := range []string{"devices.csv", "places.csv", "contacts.csv", "areas.geojson"} {
			if res := upload(h.as(role), name, "\n"); (res.StatusCode == http.StatusForbidden) == may || may && res.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("%s imports %s: %d, may: %v", role, name, res.StatusCode, may)
			}
			if status, _ := h.as(role).get("/api/v1/registry/" + name); (status == http.StatusOK) != may && !strings.HasSuffix(name, "json") {
				t.Errorf("%s exports %s: %d, may: %v", role, name, status, may)
			}
		}
		if status, _ := h.as(role).get("/api/v1/registry/devices"); status != http.StatusOK {
			t.Errorf("%s lists registrations: %d", role, status)
		}
	}
	problem(t, upload(h.nobody(), "devices.csv", ""), http.StatusUnauthorized, "unauthorized")
}

// Files may be far larger than other bodies, and yet not of any size.
func TestALargeFileAndATooLargeOne(t *testing.T) {
	h := registryHouse(t)
	var file strings.Builder
	file.WriteString("id,name\n")
	for n := range 4000 {
		fmt.Fprintf(&file, "s-%d,投放点\n", n)
	}
	if res := upload(h.as(registry.Maintainer), "places.csv", file.String()); res.StatusCode != http.StatusOK || len(h.reg.View().Places()) != 4000 {
		t.Errorf("%d bytes: %d %s", file.Len(), res.StatusCode, text(res))
	}
	problem(t, upload(h.as(registry.Maintainer), "places.csv", strings.Repeat(" ", 33<<20)), http.StatusRequestEntityTooLarge, "invalid")
}

func TestRegistrationsArePaged(t *testing.T) {
	h := registryHouse(t)
	got := ids(t, h, "/api/v1/registry/devices?limit=1", func(r dashboard.Registration) string { return r.ID })
	if !slices.Equal(got, []string{"btn-1", "house-1"}) {
		t.Errorf("pages give %v", got)
	}
}
