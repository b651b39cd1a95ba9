package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"watchhouse/certs"
	"watchhouse/config"
)

func TestTLSCommands(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	if code, stdout, stderr := call("", "tls", "init", "--dir", dir, "--host", "hub.example", "--host", "192.0.2.7"); code != exitOK || !strings.Contains(stdout, "cert_file: "+dir) {
		t.Fatalf("init: code %d, %q, %q", code, stdout, stderr)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, certs.ServerCert), filepath.Join(dir, certs.ServerKey))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"hub.example", "192.0.2.7", "localhost", "127.0.0.1"} {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if code, _, stderr := call("", "tls", "init", "--dir", dir); code != exitBadConfig || !strings.Contains(stderr, "--force") {
		t.Errorf("second init: code %d, %q", code, stderr)
	}
	if code, stdout, stderr := call("", "tls", "device", "--dir", dir, "--id", "btn-1"); code != exitOK || !regexp.MustCompile(`fingerprint [0-9a-f]{64}\n`).MatchString(stdout) {
		t.Errorf("device: code %d, %q, %q", code, stdout, stderr)
	}
	if code, _, stderr := call("", "tls", "renew", "--dir", dir); code != exitOK {
		t.Errorf("renew: code %d, %q", code, stderr)
	}
	cfg := write(t, dir, "hub.yaml", tlsConfig(dir))
	if code, stdout, stderr := call("", "check", "--config", cfg, "--data", filepath.Join(dir, "data")); code != exitOK || !strings.Contains(stdout, "certificate: ok until 20") {
		t.Errorf("check: code %d, %q, %q", code, stdout, stderr)
	}
}

// tlsConfig is a configuration with the certificates of dir, on free ports.
func tlsConfig(dir string) string {
	return fmt.Sprintf("http: 127.0.0.1:0\nmqtt: {tcp: '', tls: '127.0.0.1:0'}\ntls: {cert_file: %q, key_file: %q}\n",
		filepath.Join(dir, certs.ServerCert), filepath.Join(dir, certs.ServerKey))
}

func TestCheckWarnsBeforeACertificateExpires(t *testing.T) {
	dir := t.TempDir()
	if err := certs.Init(dir, []string{"localhost"}, false); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.TLS.CertFile, cfg.TLS.KeyFile = filepath.Join(dir, certs.ServerCert), filepath.Join(dir, certs.ServerKey)
	cfg.HTTP, cfg.MQTT.TCP, cfg.InsecureListeners = ":0", ":0", true
	for days, want := range map[int]string{0: "certificate: ok", 800: "expires on", 900: "expired on"} {
		var out strings.Builder
		err := checkTLS(cfg, &out, time.Now().AddDate(0, 0, days))
		if !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "other machines reach mqtt.tcp") || (err != nil) != (days == 900) {
			t.Errorf("in %d days: %q, %v", days, out.String(), err)
		}
	}
}

// A hang-up has the program take its new certificate; it neither ends nor restarts anything.
func TestAHangUpReloadsTheCertificate(t *testing.T) {
	dir := t.TempDir()
	if err := certs.Init(dir, []string{"localhost"}, false); err != nil {
		t.Fatal(err)
	}
	hub := startTLSHub(t, write(t, dir, "hub.yaml", tlsConfig(dir)), filepath.Join(dir, "data"))
	before := served(t, hub.TLS)
	if err := certs.Renew(dir, nil); err != nil {
		t.Fatal(err)
	}
	if err := hub.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); served(t, hub.TLS) == before || served(t, hub.HTTP) == before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the certificate of before is still served")
		}
	}
	hub.end(t)
}

// tlsHub is a running program that speaks TLS only, and what its ready line says.
type tlsHub struct {
	cmd   *exec.Cmd
	HTTP  string
	MQTT  string
	TLS   string `json:"mqtt_tls"`
	HTTPS bool
}

func startTLSHub(t *testing.T, configFile, data string) *tlsHub {
	t.Helper()
	h := &tlsHub{cmd: program(t, "serve", "--config", configFile, "--data", data)}
	stdout, err := h.cmd.StdoutPipe()
	if err == nil {
		err = h.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(line, h); err != nil || !h.HTTPS || h.MQTT != "" {
		t.Fatalf("ready line %s: %v", line, err)
	}
	return h
}

// end asks the program to stop, which it must do in peace.
func (h *tlsHub) end(t *testing.T) {
	t.Helper()
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// served is the serial number of the certificate at addr.
func served(t *testing.T, addr string) string {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) // only which one it is counts
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// The certificates that the program makes are those with which simulated devices sign in, without a secret.
func TestSimulatedDevicesSignInWithCertificates(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	devices := write(t, dir, "devices.csv", "id,kind\nhouse-1,safety_house\n")
	steps := [][]string{
		{"registry", "import", "--data", data, devices},
		{"tls", "init", "--dir", dir},
		{"tls", "device", "--dir", dir, "--id", "house-1"},
	}
	for _, args := range steps {
		if code, _, stderr := call("", args...); code != exitOK {
			t.Fatalf("%v: %s", args, stderr)
		}
	}
	text := strings.Replace(tlsConfig(dir), "tls: {cert", fmt.Sprintf("tls: {client_auth: required, client_ca_file: %q, cert", filepath.Join(dir, certs.AuthorityCert)), 1)
	hub := startTLSHub(t, write(t, dir, "hub.yaml", text), data)
	devicesAtWork := program(t, "simulate", "--broker", "ssl://"+hub.TLS, "--ca-file", filepath.Join(dir, certs.AuthorityCert),
		"--certificates", dir, "--registry", devices, "--ramp", "1ms")
	if err := devicesAtWork.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		code, stdout, stderr := call("", "journal", "cat", "--data", data, "--lane", "state", "--device", "house-1")
		if code == exitOK && strings.Contains(stdout, `"online":true`) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the house did not sign in; journal: code %d, %q, %q", code, stdout, stderr)
		}
	}
	if err := devicesAtWork.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := devicesAtWork.Wait(); err != nil {
		t.Errorf("simulate ended with %v", err)
	}
	hub.end(t)
}
