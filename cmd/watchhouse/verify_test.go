package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"watchhouse/ingest/influxdb"
)

// town is a registry of every kind and way of speaking, and a database for its hub.
type town struct {
	devices, data string
	database      *influxdb.Server
}

func newTown(t *testing.T) town {
	t.Helper()
	folder := t.TempDir()
	w := town{devices: write(t, folder, "devices.csv", everyKind()), data: filepath.Join(folder, "data")}
	binary, err := influxdb.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.database, err = influxdb.StartConfig(t.Context(), influxdb.Config{Bin: binary, Dir: filepath.Join(folder, "influxdb"), NoFlux: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.database.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("WATCHHOUSE_INFLUXDB_URL", w.database.URL())
	if code, _, stderr := call("", "registry", "import", "--data", w.data, w.devices); code != exitOK {
		t.Fatal(stderr)
	}
	for id, filter := range map[string]string{"lora": "application/#", "zigbee": "zigbee2mqtt/#"} {
		if code, _, stderr := call("", "registry", "bridge", "--data", w.data, "--id", id, "--publish", filter, "--secret", deviceSecret); code != exitOK {
			t.Fatal(stderr)
		}
	}
	return w
}

// everyKind has a device of each kind with a connection of its own, one behind a gateway, and some from shops: nine connections.
func everyKind() string {
	csv := "id,kind,power,gateway,secret,report_interval_s,model,address\n" +
		"udl,recyclables_point,,,,60,milesight-em310-udl,24e124713d000001\n" +
		"ws,emergency_button,,,,60,milesight-ws101,24E124535B316056\n" +
		"smoke,garage,,,,60,zigbee-smoke,garage/north\n" +
		"board,emergency_button,mains,," + deviceSecret + ",60,thingsboard-button,\n"
	for n, kind := range []string{"gateway", "emergency_button", "safety_house", "sorting_point", "recyclables_point", "garage"} {
		csv += fmt.Sprintf("d-%d,%s,mains,,%s,60,,\nc-%d,%s,battery,d-0,%s,60,,\n", n, kind, deviceSecret, n, kind, deviceSecret)
	}
	return csv
}

// simulate runs the town's devices for a while and gives what the verifier said.
func (w town) simulate(mqtt, database string, more ...string) (code int, stdout, stderr string) {
	return call("", append([]string{
		"simulate", "--broker", "tcp://" + mqtt, "--registry", w.devices, "--speed", "300", "--ramp", "0s", "--max-retry", "100ms",
		"--bridge", "chirpstack=lora:" + deviceSecret, "--bridge", "zigbee2mqtt=zigbee:" + deviceSecret, "--verify-influx", database,
	}, more...)...)
}

// From the simulated device to the database and back: every reading that was acknowledged is there once; and a database that has lost them
// is named so.
func TestSimulatedReadingsAreInInfluxDB(t *testing.T) {
	w := newTown(t)
	hub := startHub(t, w.data, "127.0.0.1:0", "127.0.0.1:0")
	defer hub.kill(t)
	calls := write(t, t.TempDir(), "calls.yaml", `
name: calls, which measure too when a bridge brings them, and faults
steps:
  - {at: 500ms, do: event, device: ws, type: sos}
  - {at: 500ms, do: burn, device: smoke}
  - {at: 500ms, do: faults, device: d-3, faults: {duplicate: 0.5, late: 0.5, late_by: 100ms}}
  - {at: 500ms, do: faults, device: udl, faults: {skew: -400000h}}
  - {at: 500ms, do: faults, device: d-5, faults: {malformed: 0.5, skew: -1h}}
`)
	code, stdout, stderr := w.simulate(hub.MQTT, w.database.URL(), "--for", "2s", "--scenario", calls)
	kept(t, code, stdout)
	if !strings.Contains(stderr, "online 9 of 9") {
		t.Errorf("progress %q", stderr)
	}
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"results":[{}]}`) }))
	defer empty.Close()
	code, stdout, _ = w.simulate(hub.MQTT, empty.URL, "--for", "1s", "--verify-wait", "0s")
	if code != exitFailed || !strings.Contains(stdout, "missing: c-0 telemetry: {") {
		t.Errorf("with an empty database: code %d, %q", code, stdout)
	}
}

// kept wants the verdict that all is well of a run that acknowledged something.
func kept(t *testing.T, code int, stdout string) {
	t.Helper()
	if code != exitOK || !strings.Contains(stdout, "missing 0, doubled 0, foreign 0") || strings.Contains(stdout, "acked 0") {
		t.Errorf("code %d, %q", code, stdout)
	}
	t.Log(stdout)
}
