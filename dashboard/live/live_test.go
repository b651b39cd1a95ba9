package live_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/dashboard/live"
	"watchhouse/journal"
	"watchhouse/registry"
)

func config() live.Config {
	return live.Config{Interval: 250 * time.Millisecond, SaveInterval: time.Minute, CatchUp: 1000}
}

// settle lets an interval and a second of silence-watching pass.
func settle() { time.Sleep(1300 * time.Millisecond); synctest.Wait() }

func get(t *testing.T, p *live.Projection, id string) live.DeviceState {
	t.Helper()
	s, ok := p.Get(id)
	if !ok {
		t.Fatalf("no device %s", id)
	}
	return s
}

func onlineText(b *bool) string {
	if b == nil {
		return "unknown"
	}
	return fmt.Sprint(*b)
}

func TestUnheardDeviceIsThereButUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(button("b1"))
		p, stop := w.begin(t)
		defer stop()
		settle()
		s := get(t, p, "b1")
		if s.Online != nil || s.LastSeen != 0 || s.Silent || s.Metrics == nil || s.IntervalS != 300 || s.V == 0 {
			t.Errorf("state %+v", s)
		}
	})
}

func TestMetricsAreTheNewestOfEachName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30 * 365 * 24 * time.Hour) // a bubble begins in 2000, when no device's clock counts
		w := newWorld(button("b1"))
		p, stop := w.begin(t)
		defer stop()
		now := time.Now().UnixMilli()
		w.telemetry("b1", `{"battery_pct":90,"rssi_dbm":-80}`, now)
		w.telemetry("b1", `[{"battery_pct":89},{"battery_pct":88}]`, now+1)
		w.telemetry("b1", `not json`, now+2)
		w.telemetry("b1", fmt.Sprintf(`{"ts":%d,"temp_c":20.5}`, now-1000), now+3)
		settle()
		s := get(t, p, "b1")
		if want := map[string]float64{"battery_pct": 88, "rssi_dbm": -80, "temp_c": 20.5}; !maps.Equal(s.Metrics, want) {
			t.Errorf("metrics %v, want %v", s.Metrics, want)
		}
		if s.LastSeen != now+3 || s.MetricsAt != now-1000 {
			t.Errorf("last seen %d, metrics at %d", s.LastSeen-now, s.MetricsAt-now)
		}
	})
}

func TestFloodingDeviceIsDecodedBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(button("b1"))
		p, stop := w.begin(t)
		defer stop()
		synctest.Wait()
		v := get(t, p, "b1").V
		for i := range 5000 {
			w.telemetry("b1", fmt.Sprintf(`{"battery_pct":%d,"m_%d":1}`, i%100, i), time.Now().UnixMilli())
		}
		synctest.Wait()
		time.Sleep(260 * time.Millisecond)
		s := get(t, p, "b1")
		if s.Metrics["battery_pct"] != 99 {
			t.Errorf("battery %v, want that of the newest message", s.Metrics["battery_pct"])
		}
		if len(s.Metrics) > 9 {
			t.Errorf("%d metrics were decoded from one interval's flood, want those of eight messages", len(s.Metrics))
		}
		if s.V <= v {
			t.Error("the version did not grow")
		}
		if updates, _ := w.sink.counts(); updates > 3 {
			t.Errorf("%d updates for one interval's flood", updates)
		}
	})
}

func TestOnlineFollowsStatusWillAndConnections(t *testing.T) {
	type step func(w *world, at int64)
	session := func(k journal.Kind, conn uint64) step {
		return func(w *world, at int64) { w.session(k, "b1", conn, at) }
	}
	status := func(payload string) step {
		return func(w *world, at int64) {
			w.publish(journal.StateLane, "b1", "wh/v1/b1/status", payload, at)
		}
	}
	will := func(w *world, at int64) {
		w.lanes[journal.StateLane].add(journal.Message{Kind: journal.Will, Device: "b1", Topic: "wh/v1/b1/status", ReceivedNS: at * 1e6})
	}
	for _, tc := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"connected", []step{session(journal.Connect, 1)}, "true"},
		{"disconnected", []step{session(journal.Connect, 1), session(journal.Disconnect, 1)}, "false"},
		{"taken over: the old end comes last", []step{session(journal.Connect, 1), session(journal.Connect, 2), session(journal.Disconnect, 1)}, "true"},
		{"says so itself", []step{status(`{"online":true}`)}, "true"},
		{"says it leaves", []step{session(journal.Connect, 1), status(`{"online":false}`)}, "false"},
		{"garbage changes nothing", []step{session(journal.Connect, 1), status(`{"online":"maybe"}`)}, "true"},
		{"lost", []step{session(journal.Connect, 1), will}, "false"},
		{"the hub restarted", []step{session(journal.Connect, 1), session(journal.HubStart, 0)}, "unknown"},
		{"the hub restarted, gone before", []step{session(journal.Connect, 1), session(journal.Disconnect, 1), session(journal.HubStart, 0)}, "false"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(button("b1"))
				p, stop := w.begin(t)
				defer stop()
				for i, s := range tc.steps {
					s(w, time.Now().UnixMilli()+int64(i))
				}
				settle()
				if got := onlineText(get(t, p, "b1").Online); got != tc.want {
					t.Errorf("online %s, want %s", got, tc.want)
				}
			})
		})
	}
}

func TestGatewaySpeaksForItsChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		child := button("c1")
		child.Gateway = "g1"
		w := newWorld(child, registry.Device{ID: "g1", Kind: "gateway"})
		p, stop := w.begin(t)
		defer stop()
		now := time.Now().UnixMilli()
		w.session(journal.Connect, "g1", 1, now)
		w.publish(journal.StateLane, "g1", "wh/v1/g1/child/c1/status", `{"online":true}`, now+1)
		w.publish(journal.EventLane, "g1", "wh/v1/g1/child/c1/event", `{"type":"test"}`, now+2)
		settle()
		if s := get(t, p, "c1"); onlineText(s.Online) != "true" || s.LastSeen != now+2 {
			t.Errorf("child %+v", s)
		}
		if s := get(t, p, "g1"); s.LastSeen != now+2 {
			t.Errorf("the gateway was last seen at %d, want %d: it spoke", s.LastSeen, now+2)
		}
		w.session(journal.Disconnect, "g1", 1, now+3)
		settle()
		if got := onlineText(get(t, p, "c1").Online); got != "unknown" {
			t.Errorf("online %s without its gateway, want unknown", got)
		}
	})
}

func TestSilence(t *testing.T) {
	battery := button("b1")
	battery.Power = "battery"
	battery.ReportInterval = time.Hour
	out := button("b1")
	out.OutOfService = true
	house := registry.Device{ID: "b1", Kind: "safety_house", Power: "mains", ReportInterval: 30 * time.Second}
	for _, tc := range []struct {
		name   string
		device registry.Device
		after  time.Duration
		want   bool
	}{
		{"mains within twice its interval", button("b1"), 9 * time.Minute, false},
		{"mains after twice its interval", button("b1"), 11 * time.Minute, true},
		{"battery within 2.5 intervals", battery, 149 * time.Minute, false},
		{"battery after 2.5 intervals", battery, 151 * time.Minute, true},
		{"out of service", out, 24 * time.Hour, false},
		{"house within a minute", house, 55 * time.Second, false},
		{"house after a minute", house, 65 * time.Second, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(tc.device)
				p, stop := w.begin(t)
				defer stop()
				w.telemetry("b1", `{}`, time.Now().UnixMilli())
				time.Sleep(tc.after)
				synctest.Wait()
				if s := get(t, p, "b1"); s.Silent != tc.want {
					t.Errorf("silent %v after %v, want %v", s.Silent, tc.after, tc.want)
				}
				w.telemetry("b1", `{}`, time.Now().UnixMilli())
				settle()
				if get(t, p, "b1").Silent {
					t.Error("still silent after it was heard")
				}
			})
		})
	}
}

func TestRegistryChangesShowAndRemovalAsksForSnapshots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(button("b1"), button("b2"))
		p, stop := w.begin(t)
		defer stop()
		settle()
		v := get(t, p, "b1").V
		renamed := button("b1")
		renamed.Name = "2号202"
		w.reg.set(renamed, button("b2"), button("b3"))
		settle()
		if s := get(t, p, "b1"); s.Name != "2号202" || s.V <= v {
			t.Errorf("state %+v", s)
		}
		get(t, p, "b3")
		if _, n := w.sink.counts(); n != 0 {
			t.Fatalf("%d snapshots asked for, though nothing is gone", n)
		}
		w.reg.set(renamed)
		settle()
		if _, n := w.sink.counts(); n != 1 {
			t.Errorf("%d snapshots asked for, want 1", n)
		}
		if list := p.List(); len(list) != 1 || list[0].ID != "b1" || len(p.Frames()) != 1 {
			t.Errorf("list %+v", list)
		}
	})
}

// Each field that the registry has of a device shows, and a change of any of them alone is a new state.
func TestEveryFieldOfTheRegistryShows(t *testing.T) {
	lat, lon := 31.2, 121.5
	for name, change := range map[string]func(*registry.Device){
		"kind": func(d *registry.Device) { d.Kind = "garage" }, "name": func(d *registry.Device) { d.Name = "2号202" },
		"area": func(d *registry.Device) { d.Area = "a2" }, "position": func(d *registry.Device) { d.Lat, d.Lon = &lat, &lon },
		"power": func(d *registry.Device) { d.Power = "battery" }, "gateway": func(d *registry.Device) { d.Gateway = "gw" },
		"model": func(d *registry.Device) { d.Model = "m-1" }, "address": func(d *registry.Device) { d.Address = "24e124" },
		"place": func(d *registry.Device) { d.Place = "p-1" }, "person": func(d *registry.Device) { d.Person = "p1" },
		"interval": func(d *registry.Device) { d.ReportInterval = time.Second }, "service": func(d *registry.Device) { d.OutOfService = true },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(button("b1"))
			p, stop := w.begin(t)
			defer stop()
			settle()
			before := get(t, p, "b1")
			d := button("b1")
			change(&d)
			w.reg.set(d)
			settle()
			after := get(t, p, "b1")
			newer := after.V > before.V
			before.V = after.V
			if !newer || reflect.DeepEqual(before, after) {
				t.Errorf("a new %s: state %+v, newer: %v; want another state", name, after, newer)
			}
		})
	}
}

func TestStateSurvivesARestartAndReadsOnlyTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(button("b1"))
		p, stop := w.begin(t)
		now := time.Now().UnixMilli()
		w.session(journal.Connect, "b1", 7, now)
		w.telemetry("b1", `{"battery_pct":77}`, now)
		settle()
		before := get(t, p, "b1")
		stop()
		w.lanes[journal.TelemetryLane].purged = 1 // what was read need not be there any more
		w.telemetry("b1", `{"rssi_dbm":-70}`, now+5000)
		p, stop = w.begin(t)
		defer stop()
		settle()
		s := get(t, p, "b1")
		if s.Metrics["battery_pct"] != 77 || s.Metrics["rssi_dbm"] != -70 || s.LastSeen != now+5000 || onlineText(s.Online) != "true" {
			t.Errorf("state %+v", s)
		}
		if s.V <= before.V {
			t.Errorf("version %d after %d: a console would not take it", s.V, before.V)
		}
		w.session(journal.Disconnect, "b1", 7, now+6000)
		settle()
		if got := onlineText(get(t, p, "b1").Online); got != "false" {
			t.Errorf("online %s: the connection from before the restart was forgotten", got)
		}
	})
}

func TestVersionGrowsEvenWithoutASavedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(button("b1"))
		w.store.refuse = errors.New("disk full")
		p, _ := w.begin(t)
		for range 10 {
			w.telemetry("b1", `{}`, time.Now().UnixMilli())
			settle()
		}
		before := get(t, p, "b1").V
		w.store.mu.Lock()
		w.store.refuse = nil
		w.store.mu.Unlock()
		time.Sleep(time.Second)
		fresh := newWorld(button("b1"))
		q, stop := fresh.begin(t)
		defer stop()
		settle()
		if v := get(t, q, "b1").V; v <= before {
			t.Errorf("version %d after %d", v, before)
		}
	})
}

func TestCatchUpIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(button("old"), button("new"))
		for range 4000 {
			w.telemetry("old", `{}`, 1000)
		}
		for range 1000 {
			w.telemetry("new", `{}`, 2000)
		}
		p, stop := w.begin(t)
		defer stop()
		settle()
		if s := get(t, p, "old"); s.LastSeen != 0 {
			t.Error("more was read than the bound")
		}
		if s := get(t, p, "new"); s.LastSeen != 2000 {
			t.Error("what lies within the bound was not read")
		}
	})
}

func TestGapIsSteppedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(button("b1"))
		l := w.lanes[journal.TelemetryLane]
		l.gap[2] = true
		for i := range 3 {
			w.telemetry("b1", fmt.Sprintf(`{"battery_pct":%d}`, i), 1000)
		}
		p, stop := w.begin(t)
		defer stop()
		settle()
		if s := get(t, p, "b1"); s.Metrics["battery_pct"] != 2 {
			t.Errorf("metrics %v, want those after the gap", s.Metrics)
		}
	})
}

func TestUnchangedStateIsNotSavedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(button("b1"))
		_, stop := w.begin(t)
		defer stop()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.store.mu.Lock()
		defer w.store.mu.Unlock()
		if w.store.puts != 1 {
			t.Errorf("%d saves of one state", w.store.puts)
		}
	})
}
