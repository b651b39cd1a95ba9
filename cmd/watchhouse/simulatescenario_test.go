package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A scenario is played with simulated devices against a real hub, and what it expects is seen at a console or named.
func TestSimulatePlaysAScenario(t *testing.T) {
	folder := t.TempDir()
	data, devices := filepath.Join(folder, "data"), write(t, folder, "devices.csv", everyKind())
	if code, _, stderr := call("", "registry", "import", "--data", data, devices); code != exitOK {
		t.Fatal(stderr)
	}
	if code, _, stderr := call("", "registry", "bridge", "--data", data, "--id", "lora", "--publish", "application/#", "--publish", "zigbee2mqtt/#", "--secret", deviceSecret); code != exitOK {
		t.Fatal(stderr)
	}
	hub := startHub(t, data, "127.0.0.1:0", "127.0.0.1:0")
	defer hub.kill(t)
	play := func(steps string) (int, string, string) {
		file := write(t, folder, "scenario.yaml", "name: n\nsteps:\n"+steps)
		return call("", "simulate", "--broker", "tcp://"+hub.MQTT, "--registry", devices, "--ramp", "0s", "--for", "5s",
			"--bridge", "chirpstack=lora:"+deviceSecret, "--bridge", "zigbee2mqtt=lora:"+deviceSecret,
			"--scenario", file, "--watch", "http://"+hub.HTTP, "--user", "admin", "--password", adminPassword)
	}
	code, stdout, stderr := play(`
  - {at: 500ms, do: event, device: d-1, type: sos, say: {zh: 呼叫, en: A call}, expect: {rule: EB-SOS, priority: 1, within: 5s}}
  - {at: 500ms, do: burn, device: smoke, expect: {rule: SH-FIRE, priority: 1, within: 5s}}
  - {at: 500ms, do: event, device: ws, type: sos, expect: {rule: EB-SOS, within: 5s}}
`)
	if code != exitOK || strings.Count(stdout, "seen after") != 3 || !strings.Contains(stdout, "A call") {
		t.Errorf("code %d, %q, %q", code, stdout, stderr)
	}
	code, stdout, stderr = play("  - {at: 500ms, do: event, device: d-2, type: presence, expect: {rule: SH-PANIC, within: 1s}}\n")
	if code != exitFailed || !strings.Contains(stderr, "SH-PANIC d-2 within 1s: not seen") {
		t.Errorf("code %d, %q, %q", code, stdout, stderr)
	}
	if code, _, stderr = play("  - {do: dance}\n"); code != exitBadConfig || !strings.Contains(stderr, "scenario.yaml:3:") {
		t.Errorf("code %d, %q", code, stderr)
	}
}
