package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchhouse/ingest/influxdb"
)

// outageKills is how often the hub, the database or both are killed in turns.
const outageKills = 9

// TestKilledDatabaseAndHubLoseAndDoubleNoReading kills InfluxDB and the whole program under load. Afterwards the verifier, which reads the
// database by its own code, finds every acknowledged reading there once.
func TestKilledDatabaseAndHubLoseAndDoubleNoReading(t *testing.T) {
	folder := t.TempDir()
	binary, err := influxdb.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	database, err := influxdb.StartConfig(t.Context(), influxdb.Config{Bin: binary, Dir: filepath.Join(folder, "influxdb"), NoFlux: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := database.Kill(); err != nil {
			t.Error(err)
		}
	}()
	csv := "id,kind,power,gateway,secret,report_interval_s\ngw,gateway,mains,," + deviceSecret + ",60\n"
	for n := range 12 {
		csv += fmt.Sprintf("point-%d,sorting_point,mains,,%s,60\nhouse-%d,safety_house,mains,,%s,30\nchild-%d,garage,battery,gw,%s,60\n",
			n, deviceSecret, n, deviceSecret, n, deviceSecret)
	}
	devices, data := write(t, folder, "devices.csv", csv), filepath.Join(folder, "data")
	if code, _, stderr := call("", "registry", "import", "--data", data, devices); code != exitOK {
		t.Fatal(stderr)
	}
	t.Setenv("WATCHHOUSE_INFLUXDB_URL", database.URL())
	hub := startHub(t, data, "127.0.0.1:0", "127.0.0.1:0")
	type result struct {
		code           int
		stdout, stderr string
	}
	done := make(chan result, 1)
	go func() {
		var r result
		r.code, r.stdout, r.stderr = call("", "simulate", "--broker", "tcp://"+hub.MQTT, "--registry", devices, "--for", "14s",
			"--speed", "600", "--ramp", "0s", "--verify-influx", database.URL(), "--verify-wait", "60s")
		done <- r
	}()
	hub = killInTurns(t, data, hub, database)
	r := <-done
	defer hub.kill(t)
	if r.code != exitOK || !strings.Contains(r.stdout, "missing 0, doubled 0, foreign 0") || strings.Contains(r.stdout, "acked 0") {
		t.Errorf("code %d, %q, %q", r.code, r.stdout, r.stderr)
	}
	t.Log(r.stdout)
}

// killInTurns kills the hub, the database and both, and gives the hub that runs at the end.
func killInTurns(t *testing.T, data string, hub *child, database *influxdb.Server) *child {
	t.Helper()
	for n := range outageKills {
		time.Sleep(500*time.Millisecond + rand.N(time.Second)) // where in a batch the kill falls is the point of this test
		if n%3 != 0 {
			if err := database.Kill(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(rand.N(time.Second)) // an outage of the database, in which the hub goes on
		}
		if n%3 != 1 {
			hub.kill(t)
			hub = startHub(t, data, hub.HTTP, hub.MQTT)
		}
		if n%3 == 0 {
			continue
		}
		if err := database.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return hub
}
