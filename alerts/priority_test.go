package alerts

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// TestACallOvertakesAStorm: three thousand devices fall silent in the same second, and a press is not behind them.
func TestACallOvertakesAStorm(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		for n := range 3000 {
			id := fmt.Sprintf("x%d", n)
			p.world.devices[id] = registry.Device{ID: id, Kind: telemetry.EmergencyButton, Area: "a1"}
		}
		p.start()
		p.tick()
		time.Sleep(2 * time.Hour)
		p.tick()
		p.press("b1", sos)
		synctest.Wait()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		var call uint64
		steps, _ := p.ledger.Read(t.Context(), 1, 1<<30)
		for _, raw := range steps {
			s, err := decodeStep(raw.Body)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range s.Transitions {
				if x.Incident.Rule == "EB-SOS" && x.Kind == KindRaised {
					call = x.N
				}
			}
		}
		if head := p.engine.View().Seq; head < 3000 || call == 0 || call > 10*looksPerRound {
			t.Errorf("the call is number %d of %d", call, head)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// stuckLane never answers.
type stuckLane struct{ *fakeLane }

func (l stuckLane) Read(ctx context.Context, from journal.Position, _ int) ([]journal.Entry, journal.Position, error) {
	<-ctx.Done()
	return nil, from, ctx.Err()
}

// TestTelemetryHoldsNobodyUp: a telemetry lane that never answers leaves calls and commands as they are, and nobody is called
// silent on its account.
func TestTelemetryHoldsNobodyUp(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		ports := p.ports()
		ports.telemetry = stuckLane{p.tele}
		e, err := newEngine(t.Context(), p.cfg, shippedRules(t), ports)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		p.engine, p.cancel, p.ended = e, cancel, make(chan error, 1)
		go func() { p.ended <- e.Run(ctx) }()
		p.press("b1", sos)
		synctest.Wait()
		if _, err := e.Do(t.Context(), claim(p.only("b1").ID, "")); err != nil {
			t.Error(err)
		}
		for range 3 {
			time.Sleep(time.Hour)
			p.hubTicksWithoutTelemetry()
		}
		synctest.Wait()
		if n := p.technical(); n != 0 {
			t.Errorf("%d silent", n)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestWindowsHoldNobodyUp: while the windows are held by somebody else, and telemetry waits in front of them, a call is shown
// and a command answered.
func TestWindowsHoldNobodyUp(t *testing.T) {
	p := newPlant(t)
	e := p.start()
	e.watch.mu.Lock()
	for range 2000 {
		p.reading("s1", `{"fill_wet_pct":97,"temp_c":80}`)
	}
	p.press("s1", `{"type":"opened"}`)
	p.press("b1", sos)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(p.live("b1")) == 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if _, err := e.Do(ctx, claim(p.only("b1").ID, "")); err != nil {
		t.Error(err)
	}
	if n := len(p.live("s1")); n != 0 {
		t.Errorf("%d incidents of windows that nobody could look at", n)
	}
	e.watch.mu.Unlock()
	for len(p.live("s1")) == 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if i := p.only("s1"); i.Rule != "WS-TEMP" || i.Priority != 1 {
		t.Errorf("%+v", i)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
}

// TestOnlyWatchedDevicesAreDecoded: a message of a device that no window rule covers costs no decoding, nor does one of a
// device that is not registered, a will or a bridge's retained copy.
func TestOnlyWatchedDevicesAreDecoded(t *testing.T) {
	p := newPlant(t)
	p.world.devices["x1"] = registry.Device{ID: "x1", Kind: "street_lamp"}
	f := feed{lane: journal.TelemetryLane, spec: shippedRules(t).watch, world: p.ports().world, log: p.ports().log}
	for _, device := range []string{"x1", "x2", "s1", "gw"} {
		p.reading(device, `{"fill_wet_pct":1}`)
	}
	will := publish("wh/v1/s1/telemetry", "s1", `{"fill_wet_pct":1}`)
	will.Kind = journal.Will
	p.tele.add(will)
	copied := publish("wh/v1/s1/telemetry", "bridge", `{"fill_wet_pct":1}`)
	copied.Retain = true
	p.tele.add(copied)
	for i := range p.tele.entries {
		f.take(&p.tele.entries[i])
	}
	if list := f.taken(); len(list) != 1 || list[0].device != "s1" {
		t.Errorf("decoded %+v", list)
	}
}

// TestConfig names the faulty key, and a faulty rule file keeps the engine from starting.
func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"snapshot_interval: want at least 1s, got 1ms":    func(c *Config) { c.SnapshotInterval = time.Millisecond },
		"blind_after_start: want 0s to 1h, got 2h0m0s":    func(c *Config) { c.BlindAfterStart = 2 * time.Hour },
		"blind_after_start: want 0s to 1h, got -1s":       func(c *Config) { c.BlindAfterStart = -time.Second },
		"snapshot_interval: want at least 1s, got -10m0s": func(c *Config) { c.SnapshotInterval = -10 * time.Minute },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := New(t.Context(), c, Deps{}); err == nil {
			t.Errorf("New took what Validate refuses: %s", want)
		}
	}
}
