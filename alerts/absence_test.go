package alerts

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/registry"
)

// beatFor lets devices send and the lanes tick for a while. every maps a device to its interval.
func (p *plant) beatFor(d time.Duration, every map[string]time.Duration) {
	step := 10 * time.Second
	for at := time.Duration(0); at < d; at += step {
		for device, interval := range every {
			if at%interval == 0 {
				p.beat(device)
			}
		}
		p.tick()
		time.Sleep(step)
	}
	synctest.Wait()
}

func normal() map[string]time.Duration {
	return map[string]time.Duration{
		"b1": 5 * time.Minute, "b2": 5 * time.Minute, "b3": 4 * time.Hour, "h1": 30 * time.Second,
		"gw": 5 * time.Minute, "s1": time.Hour,
	}
}

func without(device string) map[string]time.Duration {
	m := normal()
	delete(m, device)
	return m
}

func (p *plant) technical() int {
	n := 0
	for _, i := range p.engine.View().Incidents {
		if i.Class == "tech" {
			n++
		}
	}
	return n
}

// TestSilence: by the registry's interval and not a minute before; back after stable messages; nobody else is touched.
func TestSilence(t *testing.T) {
	for _, c := range []struct {
		device, rule string
		priority     Priority
		quiet, raise time.Duration // still quiet, raised
		back         time.Duration // until it recovers when it sends again
	}{
		{"b1", "EB-OFFLINE", 3, 59 * time.Minute, 61 * time.Minute, 10*time.Minute + 20*time.Second},
		{"b3", "EB-OFFLINE", 3, 9*time.Hour + 58*time.Minute, 10*time.Hour + time.Minute, 4*time.Hour + time.Minute},
		{"gw", "GW-OFFLINE", 3, 14 * time.Minute, 15*time.Minute + 20*time.Second, 5*time.Minute + 20*time.Second},
		{"s1", "WS-OFFLINE", 4, 2*time.Hour + 59*time.Minute, 3*time.Hour + time.Minute, 20 * time.Second},
		{"h1", "SH-OFFLINE", 2, 4*time.Minute + 20*time.Second, 5*time.Minute + 20*time.Second, 90 * time.Second},
	} {
		t.Run(c.device, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p *plant) {
				p.start()
				p.beatFor(10*time.Second, normal())
				p.beatFor(c.quiet, without(c.device))
				if n := len(p.live(c.device)); n != 0 {
					t.Fatalf("%d incidents after %s", n, c.quiet)
				}
				p.beatFor(c.raise-c.quiet, without(c.device))
				i := p.only(c.device)
				if i.Rule != c.rule || i.Priority != c.priority || i.State != StateNew || !i.Active {
					t.Fatalf("%+v", i)
				}
				p.beatFor(c.back, normal())
				if i = p.only(c.device); i.State != StateRecovered || i.Active {
					t.Errorf("sending again for %s: %+v", c.back, i)
				}
				if n := p.technical(); n != 1 {
					t.Errorf("%d technical incidents", n)
				}
				if err := p.stop(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestLagMakesNoSilence: while one lane is behind, nobody is called silent, however long it takes.
func TestLagMakesNoSilence(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		p.start()
		p.beatFor(10*time.Second, normal())
		for range 60 {
			time.Sleep(time.Minute)
			p.hubTicksWithoutTelemetry()
		}
		synctest.Wait()
		if n := p.technical(); n != 0 {
			t.Fatalf("%d silent while telemetry is not read", n)
		}
		p.tick()
		time.Sleep(5 * time.Second)
		if n := p.technical(); n == 0 {
			t.Error("nobody is silent after telemetry has caught up")
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

func (p *plant) hubTicksWithoutTelemetry() {
	m := publish("", "", "")
	m.Kind = 6
	p.event.add(m)
	p.state.add(m)
}

// TestTheHubsOwnAbsenceIsNobodysSilence: after two hours down nobody is silent in the blind time, then only who stays away.
func TestTheHubsOwnAbsenceIsNobodysSilence(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		p.start()
		p.hubStart()
		p.beatFor(20*time.Minute, normal())
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		p.start()
		p.hubStart()
		p.beatFor(p.cfg.BlindAfterStart-10*time.Second, map[string]time.Duration{})
		if n := p.technical(); n != 0 {
			t.Fatalf("%d silent in the blind time", n)
		}
		p.beatFor(2*time.Minute, without("h1"))
		if n := p.technical(); n != 1 || p.only("h1").Rule != "SH-OFFLINE" {
			t.Errorf("%d silent after it, want the house alone: %+v", n, p.engine.View().Incidents)
		}
		p.beatFor(40*time.Minute, without("h1"))
		if n := p.technical(); n != 1 {
			t.Errorf("%d silent, want the house alone", n)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestADownHubCountsForNobody: what a battery button could have said while the hub was away is not held against it.
func TestADownHubCountsForNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		p.start()
		p.beatFor(10*time.Second, normal())
		p.beatFor(3*time.Hour, without("b3"))
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(8 * time.Hour)
		p.start()
		p.hubStart()
		p.beatFor(6*time.Hour, without("b3"))
		if n := p.technical(); n != 0 {
			t.Errorf("%d silent after nine hours of listening", n)
		}
		p.beatFor(time.Hour+time.Minute, without("b3"))
		if i := p.only("b3"); i.Rule != "EB-OFFLINE" {
			t.Errorf("%+v", i)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestACrashForgetsNoSilence: killed without a snapshot the watch is rebuilt from the lanes: the silent button is raised at
// its time, and what was raised is not raised again.
func TestACrashForgetsNoSilence(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		p.start()
		p.beatFor(10*time.Second, normal())
		p.beatFor(50*time.Minute, without("b1"))
		p.kill()
		p.start()
		p.beatFor(9*time.Minute, without("b1"))
		if n := p.technical(); n != 0 {
			t.Fatalf("%d raised too early", n)
		}
		p.beatFor(2*time.Minute, without("b1"))
		id := p.only("b1").ID
		p.kill()
		p.start()
		p.beatFor(5*time.Minute, without("b1"))
		if i := p.only("b1"); i.ID != id || i.Occurrences != 1 {
			t.Errorf("%+v", i)
		}
		p.beatFor(11*time.Minute, normal())
		if i := p.only("b1"); i.State != StateRecovered {
			t.Errorf("%+v", i)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// kill ends the engine as SIGKILL does: no last snapshot.
func (p *plant) kill() {
	p.tb.Helper()
	kept := maps.Clone(p.kv.m)
	if err := p.stop(); err != nil {
		p.tb.Fatal(err)
	}
	p.kv.m = kept
}

// TestOutOfServiceIsNotSilent: such a device raises no technical incident, and what it had raised ends; so does what a device
// had raised that leaves the registry.
func TestOutOfServiceIsNotSilent(t *testing.T) {
	for name, change := range map[string]func(w *fakeWorld){
		"out of service": func(w *fakeWorld) {
			d := w.devices["b1"]
			d.OutOfService = true
			w.devices["b1"] = d
		},
		"deleted": func(w *fakeWorld) { delete(w.devices, "b1") },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p *plant) {
				p.start()
				p.beatFor(65*time.Minute, without("b1"))
				if i := p.only("b1"); !i.Active {
					t.Fatalf("%+v", i)
				}
				p.edit(change)
				p.beatFor(time.Minute, without("b1"))
				if i := p.only("b1"); i.State != StateRecovered || i.Active {
					t.Errorf("%+v", i)
				}
				p.beatFor(3*time.Hour, without("b1"))
				if i := p.only("b1"); i.Occurrences != 1 {
					t.Errorf("%+v", i)
				}
				if err := p.stop(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestTheIntervalOfTheRegistryCounts: a shorter one makes silence be noticed sooner, from the next revision on.
func TestTheIntervalOfTheRegistryCounts(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		p.start()
		p.beatFor(10*time.Second, normal())
		p.edit(func(w *fakeWorld) {
			w.devices["b9"] = registry.Device{ID: "b9", Kind: "emergency_button", ReportInterval: 10 * time.Second}
		})
		p.beatFor(2*time.Minute+20*time.Second, normal())
		if i := p.only("b9"); i.Rule != "EB-OFFLINE" {
			t.Errorf("%+v", i)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSignsOfLife: a child's message is its gateway's too, a will is nobody's, and a bridge's retained copy is old news.
func TestSignsOfLife(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		e := p.start()
		p.tele.add(publish("wh/v1/gw/child/b1/telemetry", "gw", "not decoded"))
		will := publish("wh/v1/b2/status", "b2", `{"online":false}`)
		will.Kind = 2
		p.state.add(will)
		old := publish("wh/v1/b3/status", "bridge", `{"online":true}`)
		old.Retain = true
		p.state.add(old)
		synctest.Wait()
		for device, heard := range map[string]bool{"gw": true, "b1": true, "b2": false, "b3": false} {
			if (e.LastSeen(device) != 0) != heard {
				t.Errorf("%s last seen %d", device, e.LastSeen(device))
			}
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestDowntimes: silence leaves out what the hub itself missed, whatever the order of reading.
func TestDowntimes(t *testing.T) {
	d := downtimes{}.add(100, 200).add(150, 180).add(0, 900).add(300, 400)
	for _, c := range []struct{ from, to, want int64 }{
		{0, 100, 100}, {0, 250, 150}, {150, 250, 50}, {120, 180, 0}, {0, 500, 300}, {210, 290, 80}, {500, 400, 0},
	} {
		if got := int64(d.silence(c.from, c.to)); got != c.want {
			t.Errorf("silence(%d, %d) = %d, want %d (%v)", c.from, c.to, got, c.want, d)
		}
	}
}
