package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"watchhouse/internal/testkit"
	"watchhouse/registry"
)

// remote gives the flags of a running hub, with the token of a user of that role.
func remote(t *testing.T, h *testkit.Hub, role registry.Role) []string {
	t.Helper()
	name := "cli-" + string(role)
	if err := h.Registry().PutUser(t.Context(), "test", registry.User{Name: name, Role: role}, ""); err != nil {
		t.Fatal(err)
	}
	token, err := h.Registry().NewToken(t.Context(), "test", name, "x")
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--url", "http://" + h.HTTPAddr(), "--token-file", write(t, t.TempDir(), "token", token+"\n")}
}

// The registry commands do to a running hub what they do to the folder of a stopped one: same output, same exit codes, same files.
func TestRegistryOfARunningHub(t *testing.T) {
	h := testkit.StartHub(t)
	there, here := remote(t, h, registry.Admin), []string{"--data", filepath.Join(t.TempDir(), "data")}
	folder := t.TempDir()
	areas := write(t, folder, "areas.geojson", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a-1","name":"一居"},"geometry":{"type":"Polygon","coordinates":[[[121,31],[122,31],[122,32],[121,31]]]}}]}`)
	places := write(t, folder, "places.csv", "id,name,area,hours\ns-1,一号投放点,a-1,05:30-20:30\n")
	contacts := write(t, folder, "contacts.csv", "id,duty,areas,name,phone\ncrew,sanitation,a-1,刘志生,15400010001\n")
	devices := write(t, folder, "devices.csv", "id,kind,area,place,secret\nbin-1,sorting_point,a-1,s-1,a-chosen-secret\ngw-1,gateway,,,a-chosen-secret\n")
	bad := write(t, folder, "bad.csv", "id,kind,lat,lon\nbin-2,sorting_point,91,1\nbin-3,binn!,,\n")
	for _, step := range []struct {
		args []string
		code int
		err  string
	}{
		{[]string{"areas", areas}, exitOK, "added 1, changed 0 areas"},
		{[]string{"places", places}, exitOK, "added 1, changed 0 places"},
		{[]string{"contacts", contacts}, exitOK, "added 1, changed 0 contacts"},
		{[]string{"import", devices}, exitOK, "added 2, changed 0 devices"},
		{[]string{"import", bad}, exitBadConfig, "bad.csv: nothing was imported:\nrow 2, column lat: want degrees from -90 to 90, got \"91\"\nrow 3, column kind: want"},
		{[]string{"areas", bad}, exitBadConfig, "nothing was imported:"},
		{[]string{"add", "--id", "btn-1", "--kind", "emergency_button", "--secret", "a-chosen-secret", "--gateway", "gw-1", "--lat", "31.2", "--lon", "121.5", "--power", "battery", "--report-interval-s", "600", "--address", "24e1", "--settings", "x=1", "--model", "m"}, exitOK, "added btn-1"},
		{[]string{"add", "--id", "btn-1", "--kind", "emergency_button", "--secret", "a-chosen-secret", "--name", "1号101"}, exitOK, "replaced btn-1"},
		{[]string{"add", "--id", "btn-2", "--kind", "emergency_button", "--area", "a-9"}, exitBadConfig, "area: want a registered area"},
		{[]string{"add", "--id", "btn-2"}, exitBadConfig, "kind: want"},
		{[]string{"bridge", "--id", "chirpstack", "--publish", "application/#", "--secret", "a-chosen-secret"}, exitOK, "account chirpstack may use 1 filters"},
		{[]string{"bridge", "--id", "chirpstack", "--publish", "a/#/b"}, exitBadConfig, "grants[0].filter: want an MQTT topic filter"},
		{[]string{"bridge", "--id", "btn-1", "--publish", "a"}, exitBadConfig, "id: want an id that no device has"},
		{[]string{"export"}, exitOK, ""},
		{[]string{"export", "places"}, exitOK, ""},
		{[]string{"export", "contacts"}, exitOK, ""},
		{[]string{"list"}, exitOK, ""},
	} {
		var outputs []string
		for _, where := range [][]string{there, here} {
			code, stdout, stderr := call("", append(append([]string{"registry"}, step.args...), where...)...)
			if code != step.code || !strings.Contains(stderr, step.err) {
				t.Errorf("%v %s: code %d, stderr %q; want %d, %q", step.args, where[0], code, stderr, step.code, step.err)
			}
			outputs = append(outputs, stdout)
		}
		if outputs[0] != outputs[1] {
			t.Errorf("%v prints with --url\n%s\nand with --data\n%s", step.args, outputs[0], outputs[1])
		}
	}
	if d, _ := h.Registry().View().Device("btn-1"); d.Name != "1号101" || d.Gateway != "" || d.Lat != nil {
		t.Errorf("the replaced device is %+v, want nothing left of the one before", d)
	}
}

// A generated secret is printed once, by both, and opens.
func TestASecretOfARunningHub(t *testing.T) {
	h := testkit.StartHub(t)
	there := remote(t, h, registry.Maintainer)
	csv := write(t, t.TempDir(), "devices.csv", "id,kind\nbtn-2,emergency_button\n")
	for id, args := range map[string][]string{"btn-1": {"add", "--id", "btn-1", "--kind", "emergency_button"}, "btn-2": {"import", csv}} {
		code, stdout, stderr := call("", append(append([]string{"registry"}, args...), there...)...)
		secret, found := strings.CutPrefix(strings.TrimSpace(stdout), id+",")
		if code != exitOK || !found || !strings.Contains(stderr, "shown only now") {
			t.Fatalf("%v: code %d, %q, %q", args, code, stdout, stderr)
		}
		if _, err := h.Registry().Authenticate(id, id, []byte(secret)); err != nil {
			t.Errorf("the printed secret of %s: %v", id, err)
		}
	}
}

func TestRefusalsOfARunningHub(t *testing.T) {
	h := testkit.StartHub(t)
	good := remote(t, h, registry.Maintainer)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	nothing := write(t, t.TempDir(), "token", "wh_guessed")
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"a viewer's token":   {remote(t, h, registry.Viewer), exitFailed, "403 forbidden"},
		"a wrong token":      {[]string{"--url", good[1], "--token-file", nothing}, exitFailed, "401 unauthorized"},
		"no token":           {[]string{"--url", good[1]}, exitBadConfig, "--token-file: want a file"},
		"a missing file":     {[]string{"--url", good[1], "--token-file", nothing + "x"}, exitBadConfig, "--token-file: open"},
		"a bad address":      {[]string{"--url", "hub:8080", "--token-file", nothing}, exitBadConfig, "--url: want http"},
		"both":               {append([]string{"--data", t.TempDir()}, good...), exitBadConfig, "not both"},
		"a token alone":      {[]string{"--token-file", nothing}, exitBadConfig, "--url: want the address"},
		"nobody there":       {[]string{"--url", "http://127.0.0.1:1", "--token-file", nothing}, exitFailed, "ask the hub"},
		"a stranger's cert":  {[]string{"--url", secure.URL, "--token-file", nothing}, exitFailed, "certificate"},
		"no authority":       {[]string{"--url", secure.URL, "--token-file", nothing, "--ca-file", nothing}, exitBadConfig, "--ca-file"},
		"a missing ca":       {[]string{"--url", secure.URL, "--token-file", nothing, "--ca-file", nothing + "x"}, exitBadConfig, "--ca-file: open"},
		"something else":     {[]string{"--url", secure.URL, "--token-file", nothing, "--ca-file", authorityOf(t, secure)}, exitFailed, "the hub answers 404"},
		"not a registry's":   {[]string{"--data", filepath.Join(t.TempDir(), "never")}, exitBadConfig, "--data: want"},
		"an unknown command": {[]string{"devicez"}, exitBadConfig, "devicez"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call("", append([]string{"registry", "export"}, tc.args...)...)
			if code != tc.code || !strings.Contains(stderr, tc.want) || stdout != "" || strings.Contains(stderr, "wh_guessed") {
				t.Errorf("code %d, want %d; %q, stderr %q, want %q in it", code, tc.code, stdout, stderr, tc.want)
			}
		})
	}
}

// authorityOf is a file with the certificate of a test server.
func authorityOf(t *testing.T, server *httptest.Server) string {
	t.Helper()
	return write(t, t.TempDir(), "ca.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
}
