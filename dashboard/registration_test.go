package dashboard_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"watchhouse/dashboard"
	"watchhouse/registry"
)

// registryCases are requests in order: each begins with what the ones before it left.
var registryCases = []struct {
	method, path string
	body         any
	status       int
	want         string // part of the body
}{
	{"GET", "/catalog", nil, 200, `{"id":"emergency_button","title":{"zh":"`},
	{"GET", "/catalog", nil, 200, `"events":["bag_on_ground","door",`},
	{"GET", "/catalog", nil, 200, `{"name":"battery_pct","unit":"%","zh":"`},
	{"GET", "/catalog", nil, 200, `"kind":"emergency_button","power":"battery","report_interval_s":`},
	{"GET", "/areas/map", nil, 200, `{"type":"FeatureCollection","features":[{"type":"Feature","id":"c-2","properties":{"id":"c-2","name":"罗山八村","name_en":""},"geometry":{"type":"Polygon"`},

	{
		"GET", "/points", nil, 200,
		`{"items":[{"device":"s1","streams":[{"stream":"wet","fill_pct":81.5,"at":1763888888000,"rate_pct_h":4,"full_at":0,"emptied_at":1763880000000}]}],"next":""}`,
	},

	{"GET", "/rules", nil, 200, `{"items":[{"id":"EB-SOS","title":{"zh":"紧急呼叫","en":"Emergency call"},"kind":"event","scope":["emergency_button"],"class":"person","priority":1,"annunciate":"alarm",`},
	{"GET", "/rules", nil, 200, `"annunciate":"order"`},

	{"POST", "/devices", map[string]any{"id": "gw-1", "kind": "gateway"}, 201, `"device":{"id":"gw-1","kind":"gateway",`},
	{"POST", "/devices", map[string]any{"id": "gw-1", "kind": "gateway"}, 409, `"code":"exists"`},
	{"POST", "/devices", map[string]any{"kind": "gateway"}, 422, `"location":"body"`},
	{"POST", "/devices", map[string]any{"id": "a b", "kind": "gateway"}, 422, `"location":"body.id"`},
	{"POST", "/devices", map[string]any{"id": "d", "kind": "emergency_buton"}, 422, `"location":"body.kind","message":"want emergency_button"`},
	{"POST", "/devices", map[string]any{"id": "d", "kind": "garage", "lat": 31.2}, 422, `"location":"body.lat"`},
	{"POST", "/devices", map[string]any{"id": "d", "kind": "garage", "lat": 31.2, "lon": 181}, 422, `"location":"body.lon"`},
	{"POST", "/devices", map[string]any{"id": "d", "kind": "garage", "lat": "north", "lon": 1}, 422, `"location":"body.lat"`},
	{"POST", "/devices", map[string]any{"id": "d", "kind": "garage", "power": "wind"}, 422, `"location":"body.power"`},
	{"POST", "/devices", map[string]any{"id": "d", "kind": "garage", "report_interval_s": -1}, 422, `"location":"body.report_interval_s"`},
	{"POST", "/devices", map[string]any{"id": "d", "kind": "garage", "report_interval_s": 1 << 62}, 422, `"location":"body.report_interval_s"`},
	{"POST", "/devices", map[string]any{"id": "d", "kind": "garage", "name": "a\nb"}, 422, `"location":"body.name"`},
	{"POST", "/devices", map[string]any{"id": "d", "kind": "garage", "secret": "hunter2"}, 422, `"location":"body.secret"`},
	{"POST", "/devices", map[string]any{"id": "d", "kind": "garage", "colour": "red"}, 422, `"location":"body.colour"`},
	{
		"POST", "/devices",
		map[string]any{"id": "d", "kind": "garage", "gateway": "btn-1", "area": "c-9", "person": "p-9"},
		422,
		`[{"location":"body.gateway","message":"want a registered device of kind gateway"},{"location":"body.area","message":"want a registered area"},{"location":"body.person","message":"want a registered person"}]`,
	},
	{
		"POST", "/devices", map[string]any{
			"id": "bin-1", "kind": "sorting_point", "name": "1号投放点", "area": "c-1", "lat": 31.2, "lon": 121.5, "gateway": "gw-1", "power": "battery",
			"report_interval_s": 600, "model": "m-1", "address": "24e124", "settings": "empty_mm=1200", "person": "p-1", "out_of_service": true, "secret": "a-chosen-secret",
		}, 201, `{"device":{"id":"bin-1","kind":"sorting_point","name":"1号投放点","area":"c-1","lat":31.2,"lon":121.5,"gateway":"gw-1","power":"battery",` +
			`"report_interval_s":600,"model":"m-1","address":"24e124","settings":"empty_mm=1200","place":"","person":"p-1","out_of_service":true,"has_secret":true,"children":[]},"secret":""}`,
	},
	{"POST", "/devices", map[string]any{"id": "bought", "model": "milesight-ws101", "address": "24e124535b316056"}, 201, `"kind":"emergency_button","name":"","area":"","lat":null,"lon":null,"gateway":"","power":"battery"`},
	{"PUT", "/devices/bought", map[string]any{"kind": "garage", "model": "milesight-ws101"}, 422, `"location":"body.kind","message":"want emergency_button, the kind of model milesight-ws101"`},
	{"GET", "/devices/gw-1/registration", nil, 200, `"children":["bin-1"]`},
	{"GET", "/devices/btn-9/registration", nil, 404, `"code":"not_found"`},
	{"DELETE", "/devices/gw-1", nil, 409, `"detail":"It is still in use: gateway gw-1 by device bin-1."`},
	{"PUT", "/devices/gw-1", map[string]any{"kind": "garage"}, 422, `"location":"body.kind"`},
	// A PUT is the whole record: what it leaves out is empty afterwards.
	{"PUT", "/devices/bin-1", map[string]any{"kind": "sorting_point", "lat": nil, "lon": nil}, 200, `{"device":{"id":"bin-1","kind":"sorting_point","name":"","area":"","lat":null,"lon":null,"gateway":"","power":"","report_interval_s":0,"model":"","address":"","settings":"","place":"","person":"","out_of_service":false,"has_secret":true,"children":[]},"secret":""}`},
	{"PUT", "/devices/bin-1", map[string]any{"kind": "sorting_point", "id": "bin-2"}, 422, `"location":"body.id"`},
	{"PUT", "/devices/bin-9", map[string]any{"kind": "sorting_point"}, 404, `"code":"not_found"`},
	{"PUT", "/devices/bin-1", map[string]any{}, 422, `"location":"body.kind"`},
	{"PUT", "/devices/bin-1", `{"kind":`, 400, `"code":"invalid"`},
	{"POST", "/devices/bin-9/secret", nil, 404, `"code":"not_found"`},
	{"POST", "/devices/bin-1/secret", nil, 200, `{"secret":"`},
	{"DELETE", "/devices/gw-1", nil, 204, ""},
	{"DELETE", "/devices/gw-1", nil, 404, `"code":"not_found"`},

	{"GET", "/places", nil, 200, `{"items":[],"next":""}`},
	{
		"PUT", "/places/s-1",
		map[string]any{"name": "1号投放点", "area": "c-1", "lat": 31.2, "lon": 121.5, "hours": "00:00-24:00"},
		200,
		`{"id":"s-1","name":"1号投放点","area":"c-1","lat":31.2,"lon":121.5,"hours":"00:00-24:00","open":true}`,
	},
	{"PUT", "/places/s-2", map[string]any{"name": "2号投放点"}, 200, `"lat":null`},
	{"PUT", "/places/a%20b", map[string]any{"name": "x"}, 422, `"location":"path.id"`},
	{"PUT", "/places/s-1", map[string]any{}, 422, `"location":"body"`},
	{"PUT", "/places/s-1", map[string]any{"name": " "}, 422, `"location":"body.name"`},
	{"PUT", "/places/s-1", map[string]any{"name": "x", "hours": "5-20"}, 422, `"location":"body.hours"`},
	{"PUT", "/places/s-1", map[string]any{"name": "x", "area": "c-9"}, 422, `"location":"body.area"`},
	{"PUT", "/places/s-1", map[string]any{"name": "x", "lat": 91, "lon": 1}, 422, `"location":"body.lat"`},
	{"GET", "/places?limit=1", nil, 200, `"items":[{"id":"s-1"`},
	{"GET", "/places?cursor=cy0x", nil, 200, `{"items":[{"id":"s-2"`},
	{"GET", "/places?area=c-9", nil, 200, `{"items":[],"next":""}`},
	{"GET", "/places/s-2", nil, 200, `"open":true`},
	{"GET", "/places/s-9", nil, 404, `"code":"not_found"`},
	{"POST", "/devices", map[string]any{"id": "bin-2", "kind": "sorting_point", "place": "s-9"}, 422, `"location":"body.place"`},
	{"POST", "/devices", map[string]any{"id": "bin-2", "kind": "sorting_point", "place": "s-1"}, 201, `"place":"s-1"`},
	{"DELETE", "/places/s-1", nil, 409, `"code":"in_use"`},
	{"DELETE", "/places/s-2", nil, 204, ""},
	{"DELETE", "/places/s-2", nil, 404, `"code":"not_found"`},

	{"GET", "/contacts", nil, 200, `{"items":[],"next":""}`},
	{
		"PUT", "/contacts/crew",
		map[string]any{"duty": "sanitation", "areas": []string{"c-2", "c-1"}, "name": "刘志生", "phone": "15400010001", "webhook": "https://example.invalid/?key=k"},
		200,
		`{"id":"crew","duty":"sanitation","areas":["c-1","c-2"],"masked_name":"刘**","masked_phone":"154****0001","webhook":"https://example.invalid/?key=k"}`,
	},
	{"PUT", "/contacts/crew", map[string]any{"duty": "tech"}, 200, `{"id":"crew","duty":"tech","areas":[],"masked_name":"刘**","masked_phone":"154****0001","webhook":""}`},
	{"PUT", "/contacts/crew", map[string]any{"duty": "cook"}, 422, `"location":"body.duty"`},
	{"PUT", "/contacts/crew", map[string]any{"duty": "fire", "areas": []string{"c-9"}}, 422, `"location":"body.areas"`},
	{"PUT", "/contacts/crew", map[string]any{"duty": "fire", "webhook": "nowhere"}, 422, `"location":"body.webhook"`},
	{"PUT", "/contacts/new", map[string]any{"duty": "fire", "phone": "1"}, 422, `"location":"body.name"`},
	{"PUT", "/contacts/new", map[string]any{"duty": "fire"}, 422, `"location":"body.name"`},
	{"PUT", "/contacts/a%20b", map[string]any{"duty": "fire"}, 422, `"location":"path.id"`},
	{"GET", "/contacts/crew", nil, 200, `"masked_name":"刘**"`},
	{"GET", "/contacts/nobody", nil, 404, `"code":"not_found"`},
	{"POST", "/contacts/crew/reveal", map[string]any{"reason": "order late"}, 200, `{"name":"刘志生","phone":"15400010001"}`},
	{"POST", "/contacts/nobody/reveal", nil, 404, `"code":"not_found"`},
	{"DELETE", "/contacts/crew", nil, 204, ""},
	{"DELETE", "/contacts/crew", nil, 404, `"code":"not_found"`},

	{"GET", "/accounts", nil, 200, `{"items":[],"next":""}`},
	{"PUT", "/accounts/chirpstack", map[string]any{"grants": []any{map[string]any{"filter": "application/#", "publish": true}}}, 200, `{"account":{"id":"chirpstack","grants":[{"filter":"application/#","publish":true}]},"secret":"`},
	{"PUT", "/accounts/chirpstack", map[string]any{"grants": []any{map[string]any{"filter": "#", "subscribe": true}}}, 200, `"secret":""}`},
	{"PUT", "/accounts/chirpstack", map[string]any{"grants": []any{}}, 422, `"location":"body.grants"`},
	{"PUT", "/accounts/chirpstack", map[string]any{"grants": []any{map[string]any{"filter": "a/#/b", "publish": true}}}, 422, `"location":"body.grants[0].filter"`},
	{"PUT", "/accounts/chirpstack", map[string]any{"grants": []any{map[string]any{"filter": "a"}}}, 422, `"location":"body.grants[0]"`},
	{"PUT", "/accounts/chirpstack", map[string]any{"grants": []any{map[string]any{"filter": "a", "publish": true}}, "secret": "hunter2"}, 422, `"location":"body.secret"`},
	{"PUT", "/accounts/btn-1", map[string]any{"grants": []any{map[string]any{"filter": "a", "publish": true}}}, 422, `"location":"body.id"`},
	{"PUT", "/accounts/a%20b", map[string]any{"grants": []any{}}, 422, `"location":"path.id"`},
	{"POST", "/devices", map[string]any{"id": "chirpstack", "kind": "gateway"}, 422, `"location":"body.id"`},
	{"GET", "/accounts", nil, 200, `{"items":[{"id":"chirpstack","grants":[{"filter":"#","subscribe":true}]}],"next":""}`},
	{"DELETE", "/accounts/chirpstack", nil, 204, ""},
	{"DELETE", "/accounts/chirpstack", nil, 404, `"code":"not_found"`},
}

// registryHouse has a committee with a border besides what every house has.
func registryHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	err := h.reg.PutAreas(t.Context(), "test", []registry.Area{{
		ID: "c-2", Name: "罗山八村", Boundary: []byte(`{"type":"Polygon","coordinates":[[[121,31],[122,31],[122,32],[121,31]]]}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestRegistryRoutes(t *testing.T) {
	h := registryHouse(t)
	for _, tc := range registryCases {
		t.Run(fmt.Sprintf("%s %s %v", tc.method, tc.path, tc.status), func(t *testing.T) {
			res := h.as(registry.Admin).do(tc.method, "/api/v1"+tc.path, tc.body)
			body := text(res)
			if res.StatusCode != tc.status || !strings.Contains(body, tc.want) {
				t.Fatalf("%d %s\nwant %d with %s", res.StatusCode, body, tc.status, tc.want)
			}
			if want := "application/problem+json"; tc.status >= 400 && res.Header.Get("Content-Type") != want {
				t.Errorf("content type %q, want %q", res.Header.Get("Content-Type"), want)
			}
			for _, hidden := range []string{"hunter2", "a-chosen-secret"} {
				if strings.Contains(body, hidden) {
					t.Errorf("the answer repeats a secret: %s", body)
				}
			}
		})
	}
	if kind := h.as(registry.Admin).do(http.MethodGet, "/api/v1/areas/map", nil).Header.Get("Content-Type"); kind != "application/geo+json" {
		t.Errorf("the map is sent as %q, want GeoJSON", kind)
	}
	if how := h.as(registry.Admin).with("Accept-Encoding", "gzip").do(http.MethodGet, "/api/v1/catalog", nil).Header.Get("Content-Encoding"); how != "gzip" {
		t.Errorf("the catalog is sent %q, want it compressed", how)
	}
}

// TestRegistryRoles: what each role may do, route by route.
func TestRegistryRoles(t *testing.T) {
	h := registryHouse(t)
	all := []string{"viewer", "guard", "maintainer", "operator", "supervisor", "admin"}
	change, reveal := []string{"maintainer", "supervisor", "admin"}, []string{"operator", "supervisor", "admin"}
	for _, tc := range []struct {
		method, path string
		may          []string
	}{
		{"GET", "/catalog", all},
		{"GET", "/areas/map", all},
		{"POST", "/devices", change},
		{"GET", "/devices/btn-1/registration", all},
		{"PUT", "/devices/btn-1", change},
		{"DELETE", "/devices/none", change},
		{"POST", "/devices/btn-1/secret", change},
		{"GET", "/places", all},
		{"GET", "/places/none", all},
		{"PUT", "/places/none", change},
		{"DELETE", "/places/none", change},
		{"GET", "/contacts", all},
		{"GET", "/contacts/none", all},
		{"PUT", "/contacts/none", change},
		{"DELETE", "/contacts/none", change},
		{"POST", "/contacts/none/reveal", reveal},
		{"GET", "/accounts", []string{"admin"}},
		{"PUT", "/accounts/none", []string{"admin"}},
		{"DELETE", "/accounts/none", []string{"admin"}},
	} {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			var body any
			if tc.method == http.MethodPost || tc.method == http.MethodPut {
				body = map[string]any{}
			}
			problem(t, h.nobody().do(tc.method, "/api/v1"+tc.path, body), http.StatusUnauthorized, "unauthorized")
			for _, role := range all {
				status, answer := h.as(registry.Role(role)).send(tc.method, "/api/v1"+tc.path, body)
				if may := slices.Contains(tc.may, role); may == (status == http.StatusForbidden) || status == http.StatusUnauthorized || status >= 500 {
					t.Errorf("%s: %d %s, may: %v", role, status, answer, may)
				}
			}
		})
	}
}

// A maintainer enters contacts and cannot read them; only who changes devices sees a webhook, which may hold a key.
func TestMaintainersSeeNoPersonalData(t *testing.T) {
	h := registryHouse(t)
	maintainer := h.as(registry.Maintainer)
	fields := map[string]any{"duty": "fire", "name": "朱福美", "phone": "15400010002", "webhook": "https://example.invalid/?key=k"}
	for _, answer := range []func() (int, string){
		func() (int, string) { return maintainer.send(http.MethodPut, "/api/v1/contacts/fire-1", fields) },
		func() (int, string) { return maintainer.get("/api/v1/contacts") },
		func() (int, string) { return maintainer.get("/api/v1/contacts/fire-1") },
	} {
		status, body := answer()
		if status != http.StatusOK || strings.Contains(body, "朱福美") || strings.Contains(body, "15400010002") || !strings.Contains(body, "key=k") {
			t.Errorf("%d %s: want the contact masked, with its webhook", status, body)
		}
	}
	problem(t, maintainer.do(http.MethodPost, "/api/v1/contacts/fire-1/reveal", nil), http.StatusForbidden, "forbidden")
	if _, body := h.as(registry.Operator).get("/api/v1/contacts"); strings.Contains(body, "key=k") {
		t.Errorf("an operator sees the webhook: %s", body)
	}
}

// Every change leaves one record of who did what to what; a refused one leaves none, and no record holds a secret.
func TestRegistryChangesAreAudited(t *testing.T) {
	h := registryHouse(t)
	m := h.as(registry.Maintainer)
	device, place := map[string]any{"id": "g-1", "kind": "garage", "secret": "a-chosen-secret"}, map[string]any{"name": "x"}
	contact := map[string]any{"duty": "fire", "name": "朱福美"}
	for _, step := range []struct {
		method, path string
		body         any
		want         string // of the record, "" = none
	}{
		{"POST", "/devices", device, "create device/g-1"},
		{"POST", "/devices", device, ""},
		{"PUT", "/devices/g-1", map[string]any{"kind": "garage"}, "update device/g-1"},
		{"PUT", "/devices/g-1", map[string]any{"kind": "1"}, ""},
		{"POST", "/devices/g-1/secret", nil, "renew_secret device/g-1"},
		{"DELETE", "/devices/g-1", nil, "delete device/g-1"},
		{"DELETE", "/devices/g-1", nil, ""},
		{"PUT", "/places/s-1", place, "create place/s-1"},
		{"PUT", "/places/s-1", place, "update place/s-1"},
		{"DELETE", "/places/s-1", nil, "delete place/s-1"},
		{"PUT", "/contacts/c-1", contact, "create contact/c-1"},
		{"PUT", "/contacts/c-1", contact, "update contact/c-1"},
		{"DELETE", "/contacts/c-1", nil, "delete contact/c-1"},
	} {
		before := auditTrail(t, h)
		m.send(step.method, "/api/v1"+step.path, step.body)
		added := auditTrail(t, h)
		added = added[:len(added)-len(before)]
		if step.want == "" && len(added) == 0 {
			continue
		}
		if len(added) != 1 || added[0].Actor != "maintainer" || added[0].Action+" "+added[0].Object != step.want || added[0].At == 0 || added[0].Remote == "" {
			t.Errorf("%s %s: records %+v, want %q", step.method, step.path, added, step.want)
		}
	}
	if _, body := h.as(registry.Admin).get("/api/v1/audit"); strings.Contains(body, "a-chosen-secret") || strings.Contains(body, "朱福美") {
		t.Errorf("the audit holds a secret or a name: %s", body)
	}
	h.as(registry.Operator).send("PUT", "/api/v1/contacts/c-1", contact)
	h.as(registry.Admin).send("PUT", "/api/v1/contacts/c-1", contact)
	h.as(registry.Operator).send("POST", "/api/v1/contacts/c-1/reveal", map[string]any{"incident": "I1", "reason": "late"})
	if e := auditTrail(t, h)[0]; e.Action != "reveal" || e.Object != "contact/c-1" || e.Incident != "I1" || e.Reason != "late" || e.Actor != "operator" {
		t.Errorf("the reveal left %+v", e)
	}
}

// auditTrail is the audit, newest first.
func auditTrail(t *testing.T, h *house) []dashboard.AuditEntry {
	t.Helper()
	status, body := h.as(registry.Admin).get("/api/v1/audit?limit=500")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	return into[dashboard.Page[dashboard.AuditEntry]](t, body).Items
}

// The secret of an answer is the one that opens, and no other answer shows it again.
func TestASecretIsShownOnce(t *testing.T) {
	h := registryHouse(t)
	m := h.as(registry.Maintainer)
	opens := func(secret string) bool {
		_, err := h.reg.Authenticate("g-1", "g-1", []byte(secret))
		return err == nil
	}
	res := m.do(http.MethodPost, "/api/v1/devices", map[string]any{"id": "g-1", "kind": "garage"})
	first := into[dashboard.RegisteredDevice](t, text(res)).Secret
	if !opens(first) || res.Header.Get("Location") != "/api/v1/devices/g-1" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("secret %q, headers %v", first, res.Header)
	}
	_, body := m.send(http.MethodPut, "/api/v1/devices/g-1", map[string]any{"kind": "garage", "secret": "generate"})
	second := into[dashboard.RegisteredDevice](t, body).Secret
	_, body = m.send(http.MethodPost, "/api/v1/devices/g-1/secret", nil)
	third := into[dashboard.RenewedSecret](t, body).Secret
	if opens(first) || opens(second) || !opens(third) || second == "" {
		t.Errorf("the three secrets open: %v, %v, %v; want the last", opens(first), opens(second), opens(third))
	}
	for _, path := range []string{"/devices/g-1", "/devices/g-1/registration", "/devices"} {
		if _, body := m.get("/api/v1" + path); strings.Contains(body, third) || strings.Contains(h.log.String(), third) {
			t.Errorf("%s shows the secret", path)
		}
	}
}

// Of two people who register one id at the same moment, one learns that the other was faster.
func TestOneOfManyAddsADevice(t *testing.T) {
	h := registryHouse(t)
	m := h.as(registry.Maintainer)
	statuses := make([]int, 8)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() {
			statuses[i], _ = m.send(http.MethodPost, "/api/v1/devices", map[string]any{"id": "g-1", "kind": "garage"})
		})
	}
	wg.Wait()
	slices.Sort(statuses)
	if statuses[0] != http.StatusCreated || statuses[1] != http.StatusConflict || statuses[7] != http.StatusConflict {
		t.Errorf("statuses %v, want one 201 and seven 409", statuses)
	}
}

// Without the audit nothing is revealed.
func TestNoRevealOfAContactWithoutAudit(t *testing.T) {
	h := registryHouse(t)
	if err := h.reg.PutContacts(t.Context(), "test", []registry.Contact{{ID: "c-1", Duty: "fire"}}, map[string]registry.Reach{"c-1": {Name: "朱福美"}}); err != nil {
		t.Fatal(err)
	}
	operator := h.as(registry.Operator)
	h.broken = true
	if err := h.journal.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := problem(t, operator.do(http.MethodPost, "/api/v1/contacts/c-1/reveal", nil), http.StatusServiceUnavailable, "unavailable")
	if strings.Contains(fmt.Sprint(p), "朱福美") {
		t.Errorf("the problem shows the name: %+v", p)
	}
}
