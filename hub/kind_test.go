package hub_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchhouse/alerts"
	"watchhouse/config"
	"watchhouse/internal/testkit"
)

// A kind that no Go of this module has heard of.
const meterCatalog = `version: 1
metrics:
  - {name: flow_lph, unit: l/h, zh: 流量, en: Flow}
kinds:
  - id: water_meter
    title: {zh: 水表, en: Water meter}
    events: [valve_stuck]
    metrics: [flow_lph, battery_pct]
    report_interval: 1h
`

const meterRules = `version: 1
rules:
  - id: WM-LEAK
    title: {zh: 疑似漏水, en: Leak suspected}
    kind: window
    scope: [water_meter]
    raise: lowest("flow_lph", 1, 3) >= 20
    clear: last("flow_lph") < 5
    class: tech
    priority: 3
    auto_clear: true
    response: 电话询问,必要时关阀。
  - id: WM-VALVE
    title: {zh: 阀门卡滞, en: Valve stuck}
    kind: window
    scope: [water_meter]
    raise: count("valve_stuck", "10m") >= 2
    clear: last("flow_lph") < 5
    class: tech
    priority: 2
    auto_clear: true
    response: 上门更换阀门。
`

// TestAKindIsYAML: registered, published over MQTT, raised and cleared by its own rules, and shown, with YAML alone.
func TestAKindIsYAML(t *testing.T) {
	dir := t.TempDir()
	catalog, rules := filepath.Join(dir, "meters.yaml"), filepath.Join(dir, "meter-rules.yaml")
	for name, text := range map[string]string{catalog: meterCatalog, rules: meterRules} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := testkit.StartHub(t, func(c *config.Config) { c.Registry.Catalog, c.Alerts.ExtraRules = []string{catalog}, []string{rules} })
	operator := h.SignIn("admin", testkit.Password)
	operator.Want(http.StatusCreated, "POST", "/api/v1/devices", map[string]any{"id": "wm-1", "kind": "water_meter", "secret": testkit.Secret}, nil)
	meter := h.Connect("wm-1")
	for n := range 2 { // a window has one reading of a millisecond, and two sends can be that fast
		meter.Send("telemetry", fmt.Sprintf(`{"ts":%d,"flow_lph":60}`, time.Now().UnixMilli()-int64(2-n)*1000))
	}
	meter.Send("event", `{"type":"valve_stuck"}`)
	none(t, operator)
	meter.Send("telemetry", `{"flow_lph":25}`)
	leak := oneIncident(t, operator, func(i alerts.Incident) bool { return i.Rule == "WM-LEAK" && i.Device == "wm-1" && i.Priority == 3 })
	if !strings.HasPrefix(leak.Causes[0], "telemetry:") {
		t.Errorf("causes %v", leak.Causes)
	}

	testkit.Eventually(t, 10*time.Second, func() string {
		var shown struct {
			Items []struct {
				ID      string
				Metrics json.RawMessage
			}
		}
		operator.Want(http.StatusOK, "GET", "/api/v1/devices?kind=water_meter", nil, &shown)
		if len(shown.Items) == 1 && shown.Items[0].ID == "wm-1" && strings.Contains(string(shown.Items[0].Metrics), "flow_lph") {
			return ""
		}
		return fmt.Sprintf("devices of the kind: %+v", shown)
	})

	meter.Send("event", `{"type":"valve_stuck"}`)
	wantRules(t, operator, "WM-LEAK new", "WM-VALVE new")
	meter.Send("telemetry", `{"flow_lph":0}`)
	wantRules(t, operator, "WM-LEAK recovered", "WM-VALVE recovered")
}

// none is seen after a message that nothing comes of, when the next one has been seen to.
func none(t *testing.T, o *testkit.Operator) {
	t.Helper()
	if open := o.OpenIncidents(); len(open) != 0 {
		t.Errorf("incidents too early: %+v", open)
	}
}

func wantRules(t *testing.T, o *testkit.Operator, want ...string) {
	t.Helper()
	testkit.Eventually(t, 10*time.Second, func() string {
		got := map[string]bool{}
		for _, i := range o.OpenIncidents() {
			got[i.Rule+" "+string(i.State)] = true
		}
		for _, w := range want {
			if !got[w] || len(got) != len(want) {
				return "shown " + strings.Join(keys(got), ", ")
			}
		}
		return ""
	})
}

func keys(m map[string]bool) []string {
	list := []string{}
	for k := range m {
		list = append(list, k)
	}
	return list
}
