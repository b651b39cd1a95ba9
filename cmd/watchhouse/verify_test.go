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

// From the simulated device to the database and back: every reading that was acknowledged is there once; and a database that has lost them
// is named so.
func TestSimulatedReadingsAreInInfluxDB(t *testing.T) {
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
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	}()
	csv := "id,kind,power,gateway,secret,report_interval_s,model,address\n" +
		"udl,recyclables_point,,,,60,milesight-em310-udl,24e124713d000001\n" +
		"ws,emergency_button,,,,60,milesight-ws101,24E124535B316056\n" +
		"smoke,garage,,,,60,zigbee-smoke,garage/north\n" +
		"board,emergency_button,mains,," + deviceSecret + ",60,thingsboard-button,\n"
	for n, kind := range []string{"gateway", "emergency_button", "safety_house", "sorting_point", "recyclables_point", "garage"} {
		csv += fmt.Sprintf("d-%d,%s,mains,,%s,60,,\nc-%d,%s,battery,d-0,%s,60,,\n", n, kind, deviceSecret, n, kind, deviceSecret)
	}
	devices, data := write(t, folder, "devices.csv", csv), filepath.Join(folder, "data")
	if code, _, stderr := call("", "registry", "import", "--data", data, devices); code != exitOK {
		t.Fatal(stderr)
	}
	for id, filter := range map[string]string{"lora": "application/#", "zigbee": "zigbee2mqtt/#"} {
		if code, _, stderr := call("", "registry", "bridge", "--data", data, "--id", id, "--publish", filter, "--secret", deviceSecret); code != exitOK {
			t.Fatal(stderr)
		}
	}
	t.Setenv("WATCHHOUSE_INFLUXDB_URL", database.URL())
	hub := startHub(t, data, "127.0.0.1:0", "127.0.0.1:0")
	defer hub.kill(t)
	simulate := []string{
		"simulate", "--broker", "tcp://" + hub.MQTT, "--registry", devices, "--for", "2s", "--speed", "300", "--ramp", "0s",
		"--bridge", "chirpstack=lora:" + deviceSecret, "--bridge", "zigbee2mqtt=zigbee:" + deviceSecret, "--verify-influx", database.URL(),
	}
	code, stdout, stderr := call("", simulate...)
	if code != exitOK || !strings.Contains(stdout, "missing 0, doubled 0, foreign 0") || strings.Contains(stdout, "acked 0") || !strings.Contains(stderr, "online 9 of 9") {
		t.Errorf("code %d, %q, %q", code, stdout, stderr)
	}
	t.Log(stdout)
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"results":[{}]}`) }))
	defer empty.Close()
	code, stdout, _ = call("", append(simulate, "--for", "1s", "--verify-influx", empty.URL, "--verify-wait", "0s")...)
	if code != exitFailed || !strings.Contains(stdout, "missing: c-0 telemetry: {") {
		t.Errorf("with an empty database: code %d, %q", code, stdout)
	}
}
