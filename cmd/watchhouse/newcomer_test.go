package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"watchhouse/config"
	"watchhouse/internal/testkit"
	"watchhouse/registry"
)

func TestABareCommandShowsHelp(t *testing.T) {
	if code, stdout, _ := call(""); code != exitOK || !strings.Contains(stdout, "simulate") || !strings.Contains(stdout, "--help") {
		t.Errorf("code %d, %q", code, stdout)
	}
}

// What README says under "be a device": a password becomes a token, the token a device, and the device's secret opens.
func TestAVisitorBecomesADevice(t *testing.T) {
	h := testkit.StartHub(t)
	if err := h.Registry().PutUser(t.Context(), "test", registry.User{Name: "visitor", Role: registry.Maintainer}, "a-long-password"); err != nil {
		t.Fatal(err)
	}
	url := "http://" + h.HTTPAddr()
	code, token, stderr := call("a-long-password\n", "user", "token", "--url", url, "--name", "visitor", "--password-stdin")
	if code != exitOK {
		t.Fatalf("user token: code %d, %s", code, stderr)
	}
	file := write(t, t.TempDir(), "token", token)
	code, stdout, stderr := call("", "registry", "add", "--url", url, "--token-file", file, "--id", "my-button", "--kind", "emergency_button")
	secret, found := strings.CutPrefix(strings.TrimSpace(stdout), "my-button,")
	if code != exitOK || !found {
		t.Fatalf("registry add: code %d, %q, %s", code, stdout, stderr)
	}
	if _, err := h.Registry().Authenticate("my-button", "my-button", []byte(secret)); err != nil {
		t.Errorf("the secret does not open: %v", err)
	}
	for name, tc := range map[string]struct {
		stdin string
		args  []string
		code  int
		want  string
	}{
		"the label again":  {"a-long-password\n", []string{"--name", "visitor", "--password-stdin"}, exitBadConfig, "choose another --label"},
		"a wrong password": {"guessed-it\n", []string{"--name", "visitor", "--password-stdin"}, exitFailed, "401 unauthorized"},
		"no password":      {"", []string{"--name", "visitor", "--password-stdin"}, exitBadConfig, "--password-stdin: want"},
		"both":             {"x\n", []string{"--name", "visitor", "--password-stdin", "--token-file", file}, exitBadConfig, "not both"},
		"another's":        {"", []string{"--name", "admin", "--token-file", file}, exitFailed, "403 forbidden"},
		"nothing":          {"", []string{"--name", "visitor"}, exitBadConfig, "--token-file: want"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(tc.stdin, append([]string{"user", "token", "--url", url}, tc.args...)...)
			if code != tc.code || !strings.Contains(stderr, tc.want) || stdout != "" {
				t.Errorf("code %d, %q, %q; want %d, %q", code, stdout, stderr, tc.code, tc.want)
			}
		})
	}
}

// An export with secrets is asked for twice, and is what simulate reads; the old secrets are void.
func TestAnExportWithSecrets(t *testing.T) {
	h := testkit.StartHub(t)
	there, here := remote(t, h, registry.Maintainer), []string{"--data", filepath.Join(t.TempDir(), "data")}
	for name, where := range map[string][]string{"url": there, "data": here} {
		t.Run(name, func(t *testing.T) {
			with := func(stdin string, args ...string) (int, string, string) {
				return call(stdin, append(append([]string{"registry"}, args...), where...)...)
			}
			for _, id := range []string{"b-1", "b-2"} {
				if code, _, stderr := with("", "add", "--id", id, "--kind", "emergency_button", "--secret", "the-old-secret"); code != exitOK {
					t.Fatal(stderr)
				}
			}
			for _, answers := range []string{"", "yes\n", "no\n2\n", "yes\n3\n"} {
				if code, stdout, stderr := with(answers, "export", "--with-secrets"); code != exitBadConfig || stdout != "" || !strings.Contains(stderr, "nothing was changed") {
					t.Errorf("answers %q: code %d, %q, %q", answers, code, stdout, stderr)
				}
			}
			code, stdout, stderr := with("yes\n2\n", "export", "--with-secrets")
			if code != exitOK || strings.Contains(stdout, "the-old-secret") {
				t.Fatalf("code %d, %q, %q", code, stdout, stderr)
			}
			file := write(t, t.TempDir(), "fleet.csv", stdout)
			if name == "data" {
				return
			}
			if _, err := h.Registry().Authenticate("b-1", "b-1", []byte("the-old-secret")); err == nil {
				t.Error("the old secret still opens")
			}
			code, _, stderr = call("", "simulate", "--broker", "tcp://"+h.MQTTAddr(), "--registry", file, "--for", "3s")
			if code != exitOK {
				t.Errorf("simulate: code %d, %s", code, stderr)
			}
		})
	}
}

// A simulation that reaches nobody says why and fails, instead of running on in silence.
func TestASimulationNamesWhatDoesNotAnswer(t *testing.T) {
	h := testkit.StartHub(t)
	there := remote(t, h, registry.Maintainer)
	if code, _, stderr := call("", append([]string{"registry", "add", "--id", "b-1", "--kind", "emergency_button", "--secret", "the-right-one"}, there...)...); code != exitOK {
		t.Fatal(stderr)
	}
	fleetOf := func(secret string) string {
		return write(t, t.TempDir(), "fleet.csv", "id,kind,secret\nb-1,emergency_button,"+secret+"\n")
	}
	nobody := closedPort(t)
	story := write(t, t.TempDir(), "story.yaml", "name: n\nsteps:\n  - {at: 1h, do: event, device: b-1, type: sos}\n")
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"no broker":        {[]string{"--broker", "tcp://" + nobody, "--registry", fleetOf("the-right-one"), "--patience", "1s"}, "1 of 1 clients could not sign in to tcp://" + nobody + "; b-1: "},
		"a wrong secret":   {[]string{"--broker", "tcp://" + h.MQTTAddr(), "--registry", fleetOf("the-wrong-one"), "--patience", "1s"}, "could not sign in"},
		"within its time":  {[]string{"--broker", "tcp://" + h.MQTTAddr(), "--registry", fleetOf("the-wrong-one"), "--for", "2s"}, "could not sign in"},
		"no console":       {[]string{"--broker", "tcp://" + h.MQTTAddr(), "--registry", fleetOf("the-right-one"), "--scenario", story, "--watch", "http://" + nobody, "--password", "x", "--patience", "1s"}, "--watch http://" + nobody},
		"a wrong password": {[]string{"--broker", "tcp://" + h.MQTTAddr(), "--registry", fleetOf("the-right-one"), "--scenario", story, "--watch", "http://" + h.HTTPAddr(), "--password", "x"}, "sign-in refused"},
		"no broker, load":  {[]string{"rate", "--broker", nobody, "--clients", "1", "--duration", "1s"}, nobody},
	} {
		t.Run(name, func(t *testing.T) {
			if code, _, stderr := call("", append([]string{"simulate"}, tc.args...)...); code != exitFailed || !strings.Contains(stderr, tc.want) {
				t.Errorf("code %d, want %d; stderr %q, want %q in it", code, exitFailed, stderr, tc.want)
			}
		})
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Every fault of the files that a configuration names is told, with the file it is in.
func TestCheckNamesTheFileAtFault(t *testing.T) {
	folder := t.TempDir()
	rules := write(t, folder, "rules.yaml", "version: 1\nrules: [{id: x}]\n")
	catalog := write(t, folder, "catalog.yaml", "version: 1\nkinds: [{id: X}]\n")
	file := write(t, folder, "c.yaml", "alerts: {extra_rules: ["+rules+"]}\nregistry: {catalog: ["+catalog+"]}\n")
	code, _, stderr := call("", "check", "--config", file)
	for _, want := range []string{"alerts.extra_rules: " + rules + ":2:", "registry.catalog: " + catalog + ":2:"} {
		if code != exitBadConfig || !strings.Contains(stderr, want) {
			t.Errorf("code %d, %q, want %q", code, stderr, want)
		}
	}
	missing := write(t, folder, "d.yaml", "tls: {cert_file: /nowhere.crt}\n")
	if code, _, stderr := call("", "check", "--config", missing); code != exitBadConfig || !strings.Contains(stderr, missing+": tls.key_file") {
		t.Errorf("a key that is missing: code %d, %q", code, stderr)
	}
}

// The readers of the lanes are shown from the start, beside a running hub.
func TestJournalLsShowsCursors(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	testkit.StartHub(t, func(c *config.Config) { c.Data = data })
	code, stdout, stderr := call("", "journal", "ls", "--data", data)
	if code != exitOK || strings.Count(stdout, "alerts=") != 3 {
		t.Errorf("code %d, want a cursor of alerts in three lanes:\n%s%s", code, stdout, stderr)
	}
}
