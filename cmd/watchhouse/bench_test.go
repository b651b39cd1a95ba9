package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestBenchOfThePipelineAndOfHistory runs both parts, short: what landed is what InfluxDB counts, and every kind of chart is there.
func TestBenchOfThePipelineAndOfHistory(t *testing.T) {
	t.Setenv(asProgram, "1") // bench runs its hub as a process of its own
	folder := t.TempDir()
	profile := filepath.Join(folder, "hub.pprof")
	code, stdout, stderr := call("", "bench", "--only", "pipeline,history", "--data", folder, "--rounds", "1", "--duration", "300ms",
		"--rate", "1000", "--steady", "2s", "--days", "2", "--houses", "1", "--profile", profile)
	if code != exitOK {
		t.Fatalf("code %d\n%s\n%s", code, stdout, stderr)
	}
	counted := regexp.MustCompile(`InfluxDB's own count +(\d+), (\d+)`).FindStringSubmatch(stdout)
	if counted == nil || counted[1] != counted[2] || counted[1] == "0" {
		t.Errorf("landed and counted: %q", counted)
	}
	for _, want := range []string{
		`CPU in µs a message: hub [\d.]+, influxd [\d.]+, generator`, `mosquitto, round 1 +\d+ landed/s`, `ingest behind +at most [\d.]+ s`,
		`\d+ points of 2 days of 346 devices, 1 of the 42`, `safety_house, one reading each 30s: 2 days, hourly +p50 [\d.]+ ms, p95 [\d.]+ ms, 48 windows`,
		`safety_house, one reading each 30s: hour, raw .* 120 windows`,
	} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
	if info, err := os.Stat(profile); err != nil || info.Size() == 0 {
		t.Errorf("profile: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(folder, "watchhouse-bench-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
