package alerts

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
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
	m.err = p.isFold()
	b := p.folded()
	for _, key := range sortedKeys(b.conditions) {
		if c := b.conditions[key]; c.Active && c.Device != "gw" && p.engine.rules.byID[c.Rule].Kind == ruleWindow {
			m.active = append(m.active, key)
		}
	}
	for _, i := range b.incidents {
		if i.Class == classFire {
			m.heats += i.Occurrences
		}
		m.raised[conditionKey(i.Rule, i.Device, i.Component)]++
	}
	m.err = errors.Join(m.err, p.stop())
	return m
}
