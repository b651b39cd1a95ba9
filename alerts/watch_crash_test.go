package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// measured is one thing that happens to a plant whose sensors are watched.
type measured struct {
	device, payload string
	wait            time.Duration
	fault           fault // of the next append
	kill            bool
}

func drawMeasured(rt *rapid.T) []measured {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) measured {
		m := measured{
			device: rapid.SampledFrom([]string{"s1", "s1", "s1", "g1", "r1"}).Draw(rt, "device"),
			wait:   time.Duration(rapid.SampledFrom([]int{5, 61, 290, 610, 1500}).Draw(rt, "wait")) * time.Second,
			fault:  rapid.SampledFrom([]fault{sound, sound, sound, refused, lost, dying, posthume}).Draw(rt, "fault"),
			kill:   rapid.IntRange(0, 5).Draw(rt, "kill") == 0,
		}
		switch m.device {
		case "g1":
			m.payload = fmt.Sprintf(`{"temp_c":%d}`, rapid.SampledFrom([]int{20, 30, 65}).Draw(rt, "temp"))
		default:
			m.payload = fmt.Sprintf(`{"fill_wet_pct":%d,"fill_recyclable_pct":%[1]d}`, rapid.SampledFrom([]int{97, 97, 96, 85, 70, 30}).Draw(rt, "fill"))
		}
		return m
	}), 1, 30).Draw(rt, "measured")
}

// TestWatchCrashesAtEveryPoint: whatever dies between a reading and the ledger, at the end the same conditions hold as if
// nothing had died, every heat was counted as often, and nothing was raised more often.
func TestWatchCrashesAtEveryPoint(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := drawMeasured(rt)
		var whole, broken memory
		synctest.Test(t, func(t *testing.T) { whole = watchThrough(newPlant(t), list, false) })
		synctest.Test(t, func(t *testing.T) { broken = watchThrough(newPlant(t), list, true) })
		if err := errors.Join(whole.err, broken.err); err != nil {
			rt.Fatal(err)
		}
		if !slices.Equal(whole.active, broken.active) {
			rt.Fatalf("active after crashes %q, without %q", broken.active, whole.active)
		}
		if broken.heats != whole.heats {
			rt.Fatalf("%d heats after crashes, %d without", broken.heats, whole.heats)
		}
		for key, n := range broken.raised {
			if n > whole.raised[key] {
				rt.Fatalf("%s raised %d times after crashes, %d without", key, n, whole.raised[key])
			}
		}
	})
}

// memory is what is left of a plant's life.
type memory struct {
	active []string
	heats  int
	raised map[string]int
	err    error
}

func watchThrough(p *plant, list []measured, crash bool) memory {
	streets(p)
	p.start()
	p.pass(p.cfg.SnapshotInterval + time.Minute)
	for _, m := range list {
		p.ledger.mu.Lock()
		if crash && m.fault != sound {
			p.ledger.plan = []fault{m.fault}
		}
		p.ledger.mu.Unlock()
		p.reading(m.device, m.payload)
		if crash && m.kill {
			p.kill()
			p.start()
		}
		p.pass(m.wait)
		p.revive()
	}
	p.ledger.mu.Lock()
	p.ledger.plan = nil
	p.ledger.mu.Unlock()
	for range 3 {
		p.pass(time.Minute)
		p.revive()
	}
	return p.remember()
}

func (p *plant) remember() memory {
	m := memory{raised: map[string]int{}}
	m.err = errors.Join(p.isFold(), p.placed())
	b := p.folded()
	for _, key := range sortedKeys(b.conditions) {
		if c := b.conditions[key]; c.Active && p.certain(c.Rule, c.Component) {
			m.active = append(m.active, key)
		}
	}
	for _, i := range b.incidents {
		if i.Class == classFire {
			m.heats += i.Occurrences
		}
		if p.certain(i.Rule, i.Component) {
			m.raised[conditionKey(i.Rule, i.Device, i.Component)]++
		}
	}
	m.err = errors.Join(m.err, p.stop())
	return m
}

// certain reports whether a rule's levels follow from the lanes alone. Those of rules about the time itself depend on when the
// watermark passed: what such a rule would have said while nobody was there is not said afterwards.
func (p *plant) certain(rule, component string) bool {
	x := p.engine.rules.watch.exactly(rule, component)
	return x != nil && !x.timed
}

// placed checks that every step names a place in the lane after the message that it was decided on.
func (p *plant) placed() error {
	steps, _ := p.ledger.Read(context.Background(), 1, 1<<30)
	for _, raw := range steps {
		s, err := decodeStep(raw.Body)
		if err != nil {
			return err
		}
		pos, err := s.Cursors.Telemetry.position()
		if err != nil {
			return err
		}
		for _, in := range s.Inputs {
			var n uint64
			if _, err := fmt.Sscanf(in.Message, "telemetry:%d", &n); err == nil && pos.Frame < n { // a frame of the fake lane is a message
				return fmt.Errorf("step %d on message %d names %s", raw.N, n, pos)
			}
		}
	}
	return nil
}

// TestReconcile: where the windows and the ledger differ after a crash, the ledger says what was raised and the windows what is.
func TestReconcile(t *testing.T) {
	full := Condition{Rule: "WS-FULL", Device: "s1", Component: "wet", Active: true}
	hot := Condition{Rule: "WS-TEMP", Device: "s1", Active: true, Latched: true}
	for _, c := range []struct {
		name   string
		before []string // readings in the windows
		ledger []Condition
		after  []string // readings to come
		want   string
	}{
		{"found and not committed", []string{"85", "86", "87"}, nil, nil, "WS-FULL:wet up"},
		{"found and committed", []string{"85", "86", "87"}, []Condition{full}, nil, ""},
		{"found, and over since", []string{"85", "86", "87", "20"}, nil, nil, ""},
		{"not found yet", []string{"85", "86"}, nil, []string{"87", "88"}, "WS-FULL:wet up"},
		{"the windows are lost", nil, []Condition{full}, []string{"70"}, ""},
		{"the windows are lost, and it is over", nil, []Condition{full}, []string{"20", "20"}, "WS-FULL:wet down"},
		{"a rule that is gone", nil, []Condition{{Rule: "WS-GONE", Device: "s1", Active: true}}, nil, "WS-GONE: down"},
		{"a device that is gone", nil, []Condition{{Rule: "WS-FULL", Device: "s9", Component: "wet", Active: true}}, nil, "WS-FULL:wet down"},
		{"heat, told again", []string{"hot"}, []Condition{hot}, nil, "WS-TEMP: up"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p *plant) {
				streets(p)
				old := p.newWatch()
				old.begin(journal.Position{}, journal.Position{}, nil, nil)
				p.bring(old, c.before)
				w := p.newWatch()
				if _, err := old.store(t.Context(), p.kv, "fake"); err != nil {
					t.Fatal(err)
				}
				if head, err := w.load(t.Context(), p.kv, "fake"); err != nil || head == nil {
					t.Fatal(head, err)
				}
				conditions := map[string]Condition{}
				for _, x := range c.ledger {
					conditions[x.key()] = x
				}
				w.begin(journal.Position{}, journal.Position{}, conditions, shippedRules(t).byID)
				p.bring(w, append([]string{""}, c.after...))
				if got := told(w); got != c.want {
					t.Errorf("told %q, want %q", got, c.want)
				}
			})
		})
	}
}

func (p *plant) newWatch() *watch {
	return newWatch(shippedRules(p.tb), p.ports(), func() int64 { return time.Now().UnixNano() })
}

// bring gives readings of s1 to a watch, ten minutes apart: a level, hot, or nothing but the time.
func (p *plant) bring(w *watch, readings []string) {
	for _, r := range readings {
		f := feed{lane: journal.TelemetryLane, spec: w.spec, world: w.world, log: w.log}
		switch r {
		case "":
		case "hot":
			p.reading("s1", `{"temp_c":75}`)
		default:
			p.reading("s1", `{"fill_wet_pct":`+r+`}`)
		}
		if r != "" {
			f.take(&p.tele.entries[len(p.tele.entries)-1])
		}
		w.take(p.tb.Context(), journal.TelemetryLane, f.taken(), journal.Position{Frame: 1}, time.Now().UnixNano())
		w.take(p.tb.Context(), journal.EventLane, nil, journal.Position{Frame: 1}, time.Now().UnixNano())
		time.Sleep(10 * time.Minute)
	}
}

// told lists what the engine would be told.
func told(w *watch) string {
	list := []string{}
	for _, f := range w.found.waiting() {
		list = append(list, f.Rule+":"+f.Component+map[bool]string{true: " up", false: " down"}[f.Up])
	}
	return strings.Join(slices.Compact(list), ", ")
}

// TestTheTelemetryFileIsLost: bulk.db is a new one with numbers of its own; the windows go on, and what was raised ends.
func TestTheTelemetryFileIsLost(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		streets(p)
		p.start()
		p.fills("s1", wet, 10*time.Minute, 85, 85, 85, 85)
		p.see("WS-FULL:wet P4 new order")
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		p.tele = newFakeLane()
		for range 2 { // what the first one writes down must do for the second
			p.start()
			p.pass(time.Minute)
			p.kill()
		}
		p.start()
		p.fills("s1", wet, 10*time.Minute, 20)
		p.see("WS-FULL:wet P4 closed order")
		p.fills("s1", wet, 10*time.Minute, 85, 85, 85, 85)
		if got := p.shown("s1"); !strings.Contains(got, "WS-FULL:wet P4 new order") {
			t.Errorf("shown %s", got)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestTheTelemetryFileIsBroken: a detector whose messages lie in the event lane still tells heat.
func TestTheTelemetryFileIsBroken(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		streets(p)
		p.world.devices["smoke"] = registry.Device{ID: "smoke", Kind: telemetry.Garage, Model: "milesight-gs601", Address: "24e124aa"}
		p.start()
		p.fills("s1", wet, 10*time.Minute, 85, 85, 85, 85)
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		delete(p.kv.m, watchKey) // so that the ledger is ahead of the windows
		ports := p.ports()
		ports.telemetry = stuckLane{p.tele}
		e, err := newEngine(t.Context(), p.cfg, shippedRules(t), ports)
		if err != nil {
			t.Fatal(err)
		}
		e.watch.floor[journal.TelemetryLane] = journal.Position{Frame: 1 << 20}
		ctx, cancel := context.WithCancel(t.Context())
		p.engine, p.cancel, p.ended = e, cancel, make(chan error, 1)
		go func() { p.ended <- e.Run(ctx) }()
		for _, temp := range []int{30, 45} {
			p.event.add(publish("application/a/device/24e124aa/event/up", "bridge", fmt.Sprintf(`{"object":{"temperature":%d}}`, temp)))
			p.pass(time.Minute)
		}
		p.seeOf("smoke", "SH-HEAT-RISE P1 new")
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}
