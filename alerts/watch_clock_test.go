package alerts

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/journal"
)

// stamped is a reading whose device believes that it is so much later than it is.
func (p *plant) stamped(device, metric string, v float64, ahead time.Duration) {
	p.reading(device, fmt.Sprintf(`{%q:%g,"ts":%d}`, metric, v, time.Now().Add(ahead).UnixMilli()))
}

// back is how far the clock is behind of a device that lost its power: it says 2021, whenever that is.
func back() time.Duration { return time.Until(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)) }

// later is when the bubble's day is late enough for a device to believe that it is 2021.
func later() { time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))) }

// clockStories are those of devices whose clocks are wrong.
var clockStories = []struct {
	name string
	play func(p *plant)
}{
	{"eight hours slow: heat is heat, after its delay", func(p *plant) {
		p.stamped("g1", temp, 61, -8*time.Hour)
		p.pass(20 * time.Second)
		p.seeOf("g1", "")
		p.pass(20 * time.Second)
		p.seeOf("g1", "SH-HEAT P1 new")
	}},
	{"ten minutes slow: the delay is none the shorter", func(p *plant) {
		p.stamped("g1", temp, 61, -10*time.Minute)
		p.pass(20 * time.Second)
		p.seeOf("g1", "")
		p.stamped("g1", temp, 40, -10*time.Minute)
		p.pass(10 * time.Minute)
		p.seeOf("g1", "")
		p.stamped("g1", temp, 61, -10*time.Minute)
		p.pass(40 * time.Second)
		p.seeOf("g1", "SH-HEAT P1 new")
	}},
	{"eight hours slow: full and emptied like any other", func(p *plant) {
		for range 3 {
			p.stamped("s1", wet, 85, -8*time.Hour)
			p.pass(4 * time.Minute)
		}
		p.see("")
		p.pass(7 * time.Minute)
		p.see("WS-FULL:wet P4 new order")
		p.stamped("s1", wet, 20, -8*time.Hour)
		p.pass(3 * time.Minute)
		p.see("WS-FULL:wet P4 new order")
		p.pass(3 * time.Minute)
		p.see("WS-FULL:wet P4 closed order")
	}},
	{"eight hours slow: a neighbour all the same", func(p *plant) {
		for _, d := range []string{"s2", "s3", "s4"} {
			p.stamped(d, temp, 20, -8*time.Hour)
		}
		p.fills("s1", temp, 70*time.Second, 55)
		p.see("WS-TEMP-NEAR P1 new")
	}},
	{"eight hours slow: the delay goes on after a crash", func(p *plant) {
		p.stamped("g1", temp, 20, -8*time.Hour)
		p.pass(p.cfg.SnapshotInterval + time.Minute)
		p.stamped("g1", temp, 61, -8*time.Hour)
		p.pass(10 * time.Second)
		p.kill()
		p.start()
		p.pass(10 * time.Second)
		p.seeOf("g1", "")
		p.pass(20 * time.Second)
		p.seeOf("g1", "SH-HEAT P1 new")
	}},
	{"four minutes fast, then put right", func(p *plant) {
		p.stamped("g1", temp, 20, 4*time.Minute)
		p.pass(30 * time.Second)
		p.stamped("g1", temp, 61, 0)
		p.pass(40 * time.Second)
		p.seeOf("g1", "SH-HEAT P1 new")
	}},
	{"four minutes fast: the last reading of a message counts", func(p *plant) {
		now := time.Now().Add(4 * time.Minute).UnixMilli()
		p.reading("g1", fmt.Sprintf(`[{"temp_c":20,"ts":%d},{"temp_c":21,"ts":%d},{"temp_c":61,"ts":%d}]`, now-20_000, now-10_000, now))
		p.pass(40 * time.Second)
		p.seeOf("g1", "SH-HEAT P1 new")
	}},
	{"set back by years: heat is heat, and nothing else is anything", func(p *plant) {
		p.stamped("g1", temp, 20, 0)
		p.stamped("s1", wet, 20, 0)
		p.pass(time.Minute)
		for range 6 {
			p.stamped("s1", wet, 97, back())
			p.pass(10 * time.Minute)
		}
		p.see("")
		p.stamped("g1", temp, 61, back())
		p.pass(20 * time.Second)
		p.seeOf("g1", "")
		p.pass(20 * time.Second)
		p.seeOf("g1", "SH-HEAT P1 new")
	}},
	{"set back by years: a moment of heat is none", func(p *plant) {
		p.stamped("g1", temp, 20, 0)
		p.pass(time.Minute)
		p.stamped("g1", temp, 61, back())
		p.pass(10 * time.Second)
		p.stamped("g1", temp, 40, back())
		p.pass(10 * time.Minute)
		p.seeOf("g1", "")
		p.stamped("g1", temp, 61, back())
		p.pass(10 * time.Second)
		p.stamped("g1", temp, 40, 0) // the clock is right again
		p.pass(time.Minute)
		p.seeOf("g1", "")
	}},
	{"set back by years: several readings in a message", func(p *plant) {
		p.stamped("g1", temp, 20, 0)
		p.pass(time.Minute)
		then := time.Now().Add(back()).UnixMilli()
		p.reading("g1", fmt.Sprintf(`[{"temp_c":20,"ts":%d},{"temp_c":61,"ts":%d}]`, then, then+10_000))
		p.pass(40 * time.Second)
		p.seeOf("g1", "SH-HEAT P1 new")
	}},
	{"set back by years: hotter than its neighbours", func(p *plant) {
		for _, d := range []string{"s2", "s3", "s4"} {
			p.stamped(d, temp, 20, 0)
		}
		p.stamped("s1", temp, 21, 0)
		p.pass(time.Minute)
		p.stamped("s1", temp, 50, back())
		p.pass(70 * time.Second)
		p.see("WS-TEMP-NEAR P1 new")
	}},
	{"set back by years: the delay goes on after a crash", func(p *plant) {
		p.stamped("g1", temp, 20, 0)
		p.pass(time.Minute)
		p.stamped("g1", temp, 61, back())
		synctest.Wait()
		if err := p.engine.snapshot()(p.tb.Context()); err != nil {
			p.tb.Fatal(err)
		}
		p.kill()
		p.start()
		p.pass(20 * time.Second)
		p.seeOf("g1", "")
		p.pass(20 * time.Second)
		p.seeOf("g1", "SH-HEAT P1 new")
	}},
	{"a backlog is no clock that was set back", func(p *plant) {
		p.stamped("s1", wet, 20, 0)
		p.pass(time.Minute)
		p.stamped("s1", wet, 20, -5*time.Minute)
		p.pass(time.Minute)
		if p.engine.watch.devices["s1"].twin != nil {
			p.tb.Error("judged by receipt")
		}
	}},
	{"a clock that is right again is believed again", func(p *plant) {
		p.stamped("g1", temp, 20, 0)
		p.pass(time.Minute)
		p.stamped("g1", temp, 21, back())
		p.pass(time.Minute)
		if p.engine.watch.devices["g1"].twin == nil {
			p.tb.Error("not judged by receipt")
		}
		p.fills("g1", temp, 40*time.Minute, 20, 20, 20)
		if p.engine.watch.devices["g1"].twin != nil {
			p.tb.Error("still judged by receipt")
		}
	}},
}

// TestWrongClocks: no alarm is lost by a device's clock, whichever way it errs.
func TestWrongClocks(t *testing.T) {
	for _, c := range clockStories {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p *plant) {
				later()
				streets(p)
				p.start()
				p.tick()
				c.play(p)
				if err := p.isFold(); err != nil {
					t.Error(err)
				}
				if err := p.stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestHeatBeforeTheFirstSnapshot: a reading waits its thirty seconds, a step names a place behind it, and the process dies before
// anything of the windows was written.
func TestHeatBeforeTheFirstSnapshot(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		streets(p)
		p.start()
		p.tick()
		p.reading("g1", `{"temp_c":61}`)
		p.pass(10 * time.Second)
		p.press("b1", sos)
		synctest.Wait()
		p.kill()
		p.start()
		p.pass(time.Minute)
		p.seeOf("g1", "SH-HEAT P1 new")
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestNeighboursFirstHeard: a device that is heard for the first time joins those that can be compared, without all of them being
// grouped again.
func TestNeighboursFirstHeard(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		streets(p)
		w := p.newWatch()
		w.begin(journal.Position{}, journal.Position{}, nil, nil)
		w.follow()
		for _, id := range []string{"s1", "s2", "s3"} {
			w.device(id)
		}
		s1 := w.device("s1")
		if n := len(w.nearTo(s1)); n != 2 {
			t.Errorf("%d neighbours", n)
		}
		w.device("g1") // of another kind
		if before := w.near.generation; len(w.nearTo(s1)) != 2 || w.near.generation != before {
			t.Error("grouped again")
		}
		w.device("s4")
		if before := w.near.generation; len(w.nearTo(s1)) != 3 || w.near.generation != before {
			t.Errorf("%d neighbours with s4", len(w.nearTo(s1)))
		}
		p.edit(func(x *fakeWorld) { delete(x.devices, "s3") })
		streets(p)
		delete(p.world.devices, "s3")
		w.follow()
		if n := len(w.nearTo(s1)); n != 2 {
			t.Errorf("%d neighbours without s3", n)
		}
	})
}
