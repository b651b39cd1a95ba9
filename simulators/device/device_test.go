package device

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"watchhouse/telemetry"
)

var noon = time.Date(2026, 7, 1, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai

func button(power telemetry.Power, interval time.Duration) Spec {
	return Spec{ID: "btn-0001", Kind: telemetry.EmergencyButton, Power: power, Interval: interval}
}

// kinds that have a model.
var kinds = []telemetry.Kind{
	telemetry.EmergencyButton, telemetry.SafetyHouse, telemetry.Gateway, telemetry.SortingPoint, telemetry.RecyclablesPoint, telemetry.Garage,
}

// day plays a device for a while and gives what it said.
func day(d *Device, start time.Time, long time.Duration) []Delivery {
	var out []Delivery
	for now := d.Due(); now.Before(start.Add(long)); now = d.Due() {
		out = append(out, d.Tick(now)...)
	}
	return out
}

func TestSameSeedSameDay(t *testing.T) {
	for _, kind := range kinds {
		play := func(seed uint64) []Delivery {
			spec := Spec{ID: "x-1", Kind: kind, Power: "mains", Interval: 5 * time.Minute}
			return day(New(spec, Options{Seed: seed, Start: noon}), noon, 24*time.Hour)
		}
		if !reflect.DeepEqual(play(1), play(1)) {
			t.Errorf("%s: seed 1 gives two different days", kind)
		}
		if reflect.DeepEqual(play(1), play(2)) {
			t.Errorf("%s: seeds 1 and 2 give the same day", kind)
		}
	}
}

// A healthy device is never silent for longer than the registry expects, however fast the demonstration runs; numbers rise by one.
func TestHeartbeatsKeepTheInterval(t *testing.T) {
	for _, speed := range []float64{0, 1, 10} {
		spec := button("mains", 5*time.Minute)
		d := New(spec, Options{Seed: 3, Start: noon, Speed: speed})
		last, beats := noon, 0
		for now := d.Due(); now.Before(noon.Add(6 * time.Hour)); now = d.Due() {
			if gap := now.Sub(last); gap > spec.Interval/time.Duration(max(1, speed)) && beats > 0 {
				t.Fatalf("speed %v: silent for %v", speed, gap)
			}
			for _, m := range d.Tick(now) {
				if beats++; m.Seq != uint32(beats) {
					t.Fatalf("speed %v: beat %d has seq %d", speed, beats, m.Seq)
				}
			}
			last = now
		}
		if least := int(72 * max(1, speed)); beats < least || beats > least*112/100+1 {
			t.Errorf("speed %v: %d heartbeats in 6 hours, want %d to 11 %% more", speed, beats, least)
		}
	}
}

func TestPayloads(t *testing.T) {
	d := New(button("battery", 4*time.Hour), Options{Seed: 5, Start: noon})
	beat := d.Tick(noon.Add(time.Minute))[0]
	var have map[string]float64
	if err := json.Unmarshal(beat.Payload, &have); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ts", "seq", "boot", "battery_pct", "battery_v", "rssi_dbm", "temp_c"} {
		if _, ok := have[name]; !ok {
			t.Errorf("heartbeat %s lacks %s", beat.Payload, name)
		}
	}
	if have["rssi_dbm"] > -40 || have["rssi_dbm"] < -125 || have["battery_pct"] < 35 || have["battery_pct"] > 100 {
		t.Errorf("unlikely heartbeat %s", beat.Payload)
	}
	press := d.Event(noon, "sos")[0]
	if want := fmt.Sprintf(`{"type":"sos","boot":%d,"seq":2,"ts":%d}`, d.boot, noon.UnixMilli()); string(press.Payload) != want {
		t.Errorf("press %s, want %s", press.Payload, want)
	}
	if s := d.Status(false); string(s.Payload) != `{"online":false}` || !s.Retain || s.Topic() != "wh/v1/btn-0001/status" {
		t.Errorf("status %+v", s)
	}
	if d.Last() == nil || string(d.Last().Payload) != string(press.Payload) {
		t.Error("the last event is not remembered")
	}
	d.Reboot()
	if m := d.Event(noon, "sos")[0]; m.Boot != press.Boot+1 || m.Seq != 1 {
		t.Errorf("after a restart: boot %d seq %d", m.Boot, m.Seq)
	}
}

func TestChildTopic(t *testing.T) {
	d := New(Spec{ID: "b", Gateway: "gw-01", Kind: telemetry.EmergencyButton, Interval: time.Hour}, Options{Start: noon})
	if have := d.Event(noon, "sos")[0].Topic(); have != "wh/v1/gw-01/child/b/event" {
		t.Errorf("have %s", have)
	}
	if have := d.Accept("01J").Topic(); have != "wh/v1/gw-01/child/b/command/ack" {
		t.Errorf("have %s", have)
	}
}

// In a day a house has three changes of shift, each signed out and in, answers more often at night and patrols.
func TestDayOfAHouse(t *testing.T) {
	d := New(Spec{ID: "house-01", Kind: telemetry.SafetyHouse, Power: "mains", Interval: 30 * time.Second}, Options{Seed: 1, Start: noon})
	have := map[string]int{}
	var out bool
	for _, m := range day(d, noon, 24*time.Hour) {
		if m.Channel != telemetry.ChannelEvent {
			have["heartbeat"]++
			continue
		}
		have[m.Type]++
		if m.Type == "check_in" && !out {
			t.Error("signed in without signing out before")
		}
		out = m.Type == "check_out"
	}
	if have["check_in"] != 3 || have["check_out"] != 3 || have["presence"] < 30 || have["patrol_scan"] < 12 || have["heartbeat"] < 2880 {
		t.Errorf("a day of a house: %v", have)
	}
}

func TestTemperatureFollowsTheDay(t *testing.T) {
	for name, place := range map[string]struct {
		at          func(time.Time) float64
		least, most float64
	}{"flat": {indoor{swing: 1.5}.temperature, 2, 4}, "gatehouse": {indoor{swing: 3.5}.temperature, 5, 8}, "roof": {roof{}.temperature, 10, 30}} {
		night, afternoon := place.at(noon.Add(-7*time.Hour)), place.at(noon.Add(4*time.Hour))
		if rise := afternoon - night; rise < place.least || rise > place.most {
			t.Errorf("%s: 05:00 %.1f °C, 16:00 %.1f °C", name, night, afternoon)
		}
	}
	if summer, winter := (roof{}).temperature(july.Add(15*time.Hour)), (roof{}).temperature(january.Add(15*time.Hour)); summer < 42 || winter > 20 {
		t.Errorf("a roof has %.1f °C in July and %.1f °C in January", summer, winter)
	}
}

// Every fault shows on every kind.
func TestFaults(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			faultsOf(t, Spec{ID: "d-1", Kind: kind, Power: "battery", Interval: time.Minute})
		})
	}
}

func faultsOf(t *testing.T, spec Spec) {
	tick := func(f Faults) (*Device, []Delivery) {
		d := New(spec, Options{Seed: 9, Start: noon})
		d.SetFaults(f)
		return d, day(d, noon, 10*time.Minute)
	}
	if _, out := tick(Faults{Duplicate: 1}); len(out) < 20 || !reflect.DeepEqual(out[0], out[1]) {
		t.Error("duplicate: want each message twice")
	}
	if _, out := tick(Faults{Late: 1, LateBy: time.Hour}); len(out) == 0 || out[0].After != time.Hour {
		t.Error("late: want messages held for an hour")
	}
	if _, out := tick(Faults{Malformed: 1}); len(out) == 0 || json.Valid(out[0].Payload) {
		t.Error("malformed: want broken JSON")
	}
	if _, out := tick(Faults{Dropout: 1}); len(out) != 0 {
		t.Error("dropout: want silence")
	}
	if _, out := tick(Faults{Skew: -time.Hour}); len(out) == 0 || out[0].TS > noon.UnixMilli() {
		t.Error("skew: want old times")
	}
	d, out := tick(Faults{Drain: true})
	if len(telemetryOf(out)) > 6 || !d.Dead() {
		t.Errorf("drain: %d messages and battery %v, want a dead device", len(out), d.body.battery)
	}
	if d.SetFaults(Faults{}); d.Dead() {
		t.Error("drain: a new battery did not help")
	}
	if d, _ := tick(Faults{Dropout: 1}); len(d.Event(noon, "sos")) != 1 {
		t.Error("a press must not fall to a dropout")
	}
	if d, _ := tick(Faults{Flap: time.Second}); d.Flap() != time.Second {
		t.Error("flap: the fleet is not told")
	}
	_, out = tick(Faults{Stuck: true})
	for _, m := range telemetryOf(out)[1:] {
		for name, v := range values(t, m) {
			if first := values(t, telemetryOf(out)[0])[name]; v != first && name != "seq" && name != "ts" {
				t.Errorf("stuck: %s moved from %v to %v", name, first, v)
			}
		}
	}
	_, healthy := tick(Faults{})
	_, out = tick(Faults{Drift: 2})
	for name, v := range values(t, telemetryOf(out)[8]) {
		usual := values(t, telemetryOf(healthy)[8])[name]
		fills := spec.Kind == telemetry.SortingPoint || spec.Kind == telemetry.RecyclablesPoint
		drifts := name == "temp_c" && !fills || strings.HasPrefix(name, "fill_")
		if far := v > usual+12; drifts != far && name != "ts" && name != "rssi_dbm" {
			t.Errorf("drift: %s is %v, without the fault %v", name, v, usual)
		}
	}
}

// telemetryOf leaves the events out.
func telemetryOf(out []Delivery) []Delivery {
	return slices.DeleteFunc(slices.Clone(out), func(m Delivery) bool { return m.Channel != telemetry.ChannelTelemetry })
}

func values(t *testing.T, m Delivery) map[string]float64 {
	t.Helper()
	var have map[string]float64
	if err := json.Unmarshal(m.Payload, &have); err != nil {
		t.Fatalf("%s: %v", m.Payload, err)
	}
	return have
}

func TestSilence(t *testing.T) {
	d := New(button("mains", time.Minute), Options{Start: noon})
	d.Silence(true)
	if out := day(d, noon, time.Hour); len(out) != 0 {
		t.Errorf("a silent device said %d things", len(out))
	}
	if len(d.Event(noon, "sos")) != 1 {
		t.Error("a silent button must still be able to call")
	}
	d.Silence(false)
	if len(day(d, noon.Add(time.Hour), time.Hour)) == 0 {
		t.Error("it did not find its voice again")
	}
}

func TestReadSpecs(t *testing.T) {
	in := "kind,id,report_interval_s,power,gateway,name\nsafety_house,house-01,30,mains,,x\nemergency_button,b,14400,battery,gw-01,y\n"
	have, err := ReadSpecs(strings.NewReader(in), map[string]string{"b": "s3"})
	want := []Spec{
		{ID: "house-01", Kind: telemetry.SafetyHouse, Power: "mains", Interval: 30 * time.Second},
		{ID: "b", Kind: telemetry.EmergencyButton, Power: "battery", Gateway: "gw-01", Secret: "s3", Interval: 4 * time.Hour},
	}
	if err != nil || !reflect.DeepEqual(have, want) {
		t.Errorf("have %+v, %v", have, err)
	}
	for _, c := range []struct{ in, want string }{
		{"", "header"},
		{"kind\nx\n", "column id"},
		{"id,report_interval_s\na,0\n", "row 2: column report_interval_s"},
		{"id,kind\n,gateway\n", "row 2: column id"},
	} {
		if _, err := ReadSpecs(strings.NewReader(c.in), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: have %v, want %q", c.in, err, c.want)
		}
	}
}
