package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
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
	cmd := program(t, "serve", "--config", write(t, dir, "hub.yaml", tlsConfig(dir)), "--data", filepath.Join(dir, "data"))
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready struct {
		HTTP  string
		MQTT  string
		TLS   string `json:"mqtt_tls"`
		HTTPS bool
	}
	if err := json.Unmarshal(line, &ready); err != nil || !ready.HTTPS || ready.MQTT != "" {
		t.Fatalf("ready line %s: %v", line, err)
	}
	before := served(t, ready.TLS)
	if err := certs.Renew(dir, nil); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); served(t, ready.TLS) == before || served(t, ready.HTTP) == before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the certificate of before is still served")
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// served is the serial number of the certificate at addr.
func served(t *testing.T, addr string) string {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // only which one it is counts
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}
