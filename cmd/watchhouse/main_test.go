package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"watchhouse/journal"
)

// asProgram makes the test binary behave as watchhouse itself, so that tests can kill it.
const asProgram = "TEST_RUNS_WATCHHOUSE"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
	}
	os.Exit(m.Run())
}

// program is a child process running watchhouse with args.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "WATCHHOUSE_ADMIN_PASSWORD="+adminPassword)
	return cmd
}

// call runs watchhouse in this process.
func call(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, streams{in: strings.NewReader(stdin), out: &out, err: &errs})
	return code, out.String(), errs.String()
}

func TestExitCodesAndMessages(t *testing.T) {
	folder := t.TempDir()
	misspelt := write(t, folder, "misspelt.yaml", "http: 127.0.0.1:0\nmqqt:\n  tcp: 127.0.0.1:0\n")
	badValue := write(t, folder, "value.yaml", "journal:\n  retention: -1h\n")
	badCSV := write(t, folder, "bad.csv", "id,kind,lat\nok-1,emergency_button,31.2\nbad id,emergency_button,91\n")
	noRules := write(t, folder, "rules.yaml", "alerts:\n  rules_file: "+filepath.Join(folder, "none.yaml")+"\n")
	noSecret := write(t, folder, "nosecret.csv", "id,kind\nbtn-1,emergency_button\n")
	noCertificate := write(t, folder, "tls.yaml", "tls:\n  cert_file: none.crt\n  key_file: none.key\n")
	never := filepath.Join(folder, "never")
	cases := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"unknown command", []string{"fly"}, exitBadConfig, "fly"},
		{"misspelt key", []string{"serve", "--config", misspelt}, exitBadConfig, "misspelt.yaml:2:1"},
		{"bad value", []string{"serve", "--config", badValue}, exitBadConfig, "value.yaml:2"},
		{"missing file", []string{"serve", "--config", filepath.Join(folder, "none.yaml")}, exitBadConfig, "none.yaml"},
		{"corrupt CSV", []string{"registry", "import", "--data", filepath.Join(folder, "d"), badCSV}, exitBadConfig, "nothing was imported"},
		{"missing rules", []string{"serve", "--config", noRules, "--data", never}, exitBadConfig, "alerts.rules_file"},
		{"no such port", []string{"serve", "--http", "127.0.0.1:99999", "--data", never}, exitBadConfig, "http: must be"},
		{"MQTT for all, in clear", []string{"serve", "--mqtt", "0.0.0.0:0", "--data", never}, exitBadConfig, "--insecure-listeners"},
		{"a page for all, in clear", []string{"serve", "--http", ":0", "--data", never}, exitBadConfig, "http: other machines would reach it"},
		{"a demo for all, in clear", []string{"demo", "--http", ":0", "--data", never}, exitBadConfig, "insecure_listeners: true"},
		{"no certificate", []string{"serve", "--config", noCertificate, "--data", never}, exitBadConfig, "tls.cert_file"},
		{"certificate of nobody", []string{"tls", "device", "--dir", folder, "--id", "btn-1"}, exitBadConfig, "watchhouse tls init"},
		{"list of nothing", []string{"registry", "list", "--data", never}, exitBadConfig, "--data: want"},
		{"token in nothing", []string{"user", "token", "--data", never, "--name", "li"}, exitBadConfig, "--data: want"},
		{"unknown lane", []string{"journal", "cat", "--data", folder, "--lane", "slow"}, exitBadConfig, "event, state or telemetry"},
		{"redrive of nothing", []string{"journal", "redrive", "--url", "http://127.0.0.1:1", "--token-file", misspelt}, exitBadConfig, "or --all"},
		{"redrive nowhere", []string{"journal", "redrive", "--url", "127.0.0.1", "--token-file", misspelt, "1"}, exitBadConfig, "--url: want"},
		{"a token in clear", []string{"journal", "redrive", "--url", "http://hub.example", "--token-file", misspelt, "1"}, exitBadConfig, "https, or --insecure"},
		{"redrive without token", []string{"journal", "redrive", "--url", "http://127.0.0.1:1", "--token-file", never, "1"}, exitBadConfig, "--token-file"},
		{"redrive of a dead hub", []string{"journal", "redrive", "--url", "http://127.0.0.1:1", "--token-file", misspelt, "1"}, exitFailed, "ask the hub"},
		{"simulated without secrets", []string{"simulate", "--registry", noSecret}, exitBadConfig, "btn-1: want its secret"},
		{"no password", []string{"user", "add", "--data", filepath.Join(folder, "d"), "--name", "li", "--role", "viewer", "--password-stdin"}, exitBadConfig, "want the password"},
		{"unknown role", []string{"user", "add", "--data", filepath.Join(folder, "d"), "--name", "li", "--role", "boss", "--password-stdin"}, exitBadConfig, "boss"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := call("", c.args...)
			if code != c.code || !strings.Contains(stderr, c.want) {
				t.Errorf("code %d, want %d; stderr %q, want %q in it", code, c.code, stderr, c.want)
			}
		})
	}
	if _, err := os.Stat(never); err == nil {
		t.Error("a refused command made the data folder")
	}
}

func TestACheckLeavesNothingBehind(t *testing.T) {
	folder := t.TempDir()
	code, stdout, stderr := call("", "check", "--data", filepath.Join(folder, "a", "b"))
	if entries, err := os.ReadDir(folder); code != exitOK || err != nil || len(entries) > 0 || !strings.Contains(stdout, "measuring in "+folder) {
		t.Errorf("code %d, %q, %q; left %v, %v", code, stdout, stderr, entries, err)
	}
}

func TestAWeakFirstPasswordIsBadConfiguration(t *testing.T) {
	t.Setenv(adminPasswordVariable, "short")
	code, _, stderr := call("", "serve", "--data", filepath.Join(t.TempDir(), "data"), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0")
	if code != exitBadConfig || !strings.Contains(stderr, adminPasswordVariable+": want at least 8") || strings.Contains(stderr, "short") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
}

func TestAPortInUseSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, flag := range []string{"--http", "--mqtt"} {
		args := append([]string{"serve", "--data", filepath.Join(t.TempDir(), "data"), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"}, flag, taken.Addr().String())
		if code, _, stderr := call("", args...); code != exitFailed || !strings.Contains(stderr, taken.Addr().String()) || !strings.Contains(stderr, "choose another address") {
			t.Errorf("%s: code %d, stderr %q", flag, code, stderr)
		}
	}
}

func TestACorruptCSVNamesEveryRowAndImportsNothing(t *testing.T) {
	folder := t.TempDir()
	data := filepath.Join(folder, "data")
	bad := write(t, folder, "bad.csv", "id,kind,lat\nok-1,emergency_button,31.2\nbad id,emergency_button,31\nok-2,emergency_button,north\n")
	code, _, stderr := call("", "registry", "import", "--data", data, bad)
	if code != exitBadConfig || !strings.Contains(stderr, "row 3") || !strings.Contains(stderr, "row 4") {
		t.Errorf("code %d, stderr %q: want rows 3 and 4 named", code, stderr)
	}
	code, stdout, _ := call("", "registry", "list", "--data", data)
	if code != exitOK || stdout != "" {
		t.Errorf("code %d, list %q: want an empty registry", code, stdout)
	}
}

func TestRegistryAndUserCommands(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	code, stdout, stderr := call("", "registry", "add", "--data", data, "--id", "btn-1", "--kind", "emergency_button")
	if code != exitOK || !strings.HasPrefix(stdout, "btn-1,") {
		t.Fatalf("add: code %d, %q, %q: want the generated secret once", code, stdout, stderr)
	}
	_, secret, _ := strings.Cut(strings.TrimSpace(stdout), ",")
	code, exported, _ := call("", "registry", "export", "--data", data)
	if code != exitOK || !strings.Contains(exported, "btn-1") || strings.Contains(exported, secret) {
		t.Errorf("export: code %d, %q: want the device without its secret", code, exported)
	}
	if code, _, stderr = call("a long password\n", "user", "add", "--data", data, "--name", "li", "--role", "operator", "--password-stdin"); code != exitOK {
		t.Errorf("user add: code %d, %q", code, stderr)
	}
	if code, stdout, _ = call("", "user", "token", "--data", data, "--name", "li"); code != exitOK || len(strings.TrimSpace(stdout)) < 20 {
		t.Errorf("user token: code %d, %q", code, stdout)
	}
	if code, _, stderr = call("", "user", "token", "--data", data, "--name", "li"); code != exitBadConfig || !strings.Contains(stderr, "another --label") {
		t.Errorf("second token: code %d, %q", code, stderr)
	}
	if code, _, stderr = call("", "registry", "add", "--data", data, "--id", "btn-1", "--kind", "emergency_button", "--area", "nowhere"); code != exitOK ||
		!strings.Contains(stderr, "replaced btn-1") || !strings.Contains(stderr, "area nowhere of 1 devices is not registered") {
		t.Errorf("add again: code %d, %q", code, stderr)
	}
}

// The folder may be named by the configuration alone; reading goes on beside whoever holds it, writing is refused.
func TestRegistryIsReadBesideAHub(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	t.Setenv("WATCHHOUSE_DATA", data)
	if code, _, stderr := call("", "registry", "add", "--id", "btn-1", "--kind", "emergency_button", "--secret", "a-long-secret"); code != exitOK {
		t.Fatalf("add: code %d, %q", code, stderr)
	}
	cfg := journal.DefaultConfig()
	cfg.Dir = data
	held, err := journal.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := held.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for _, command := range []string{"list", "export"} {
		if code, stdout, stderr := call("", "registry", command); code != exitOK || !strings.Contains(stdout, "btn-1") {
			t.Errorf("%s: code %d, %q, %q", command, code, stdout, stderr)
		}
	}
	if code, _, stderr := call("", "registry", "add", "--id", "btn-2", "--kind", "emergency_button"); code != exitInUse || !strings.Contains(stderr, "stop it first") {
		t.Errorf("add: code %d, %q", code, stderr)
	}
}

func write(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
