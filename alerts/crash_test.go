package alerts

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

// deed is one thing that happens to a plant.
type deed struct {
	kind   string // press, flood (repeats and others' presses among them), smoke (a message that repeats whether there is), note, sleep, kill, dead (a flood while nobody decides)
	device string
	id     int // of the press; 0 = without identity
	wait   time.Duration
	fault  fault // of the next append
}

func drawDeeds(rt *rapid.T) []deed {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) deed {
		return deed{
			kind:   rapid.SampledFrom([]string{"press", "press", "press", "flood", "flood", "smoke", "smoke", "note", "sleep", "kill", "dead"}).Draw(rt, "kind"),
			device: rapid.SampledFrom([]string{"b1", "b2", "h1"}).Draw(rt, "device"),
			id:     rapid.IntRange(0, 4).Draw(rt, "id"),
			wait:   time.Duration(rapid.SampledFrom([]int{0, 1, 16, 61, 130, 400}).Draw(rt, "wait")) * time.Second,
			fault:  rapid.SampledFrom([]fault{sound, sound, sound, refused, lost, dying, posthume}).Draw(rt, "fault"),
		}
	}), 1, 25).Draw(rt, "deeds")
}

// TestCrashAtEveryPoint: whatever dies, before the append, after it and before it is known, or while nothing happens, and
// whatever the disk refuses: each message is counted once, each command done once, and the live state is the fold of the
// ledger. Every step's fault is drawn, so every point is met.
func TestCrashAtEveryPoint(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		deeds := drawDeeds(rt)
		var wrong error
		synctest.Test(t, func(t *testing.T) { wrong = liveThrough(newPlant(t), deeds) })
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

// liveThrough plays deeds on a plant that is restarted whenever it dies, and says what was lost or doubled.
func liveThrough(p *plant, deeds []deed) error {
	p.world.devices["smoke"] = registry.Device{ID: "smoke", Kind: telemetry.Garage, Model: "zigbee-smoke"}
	p.start()
	burning := false
	want := map[string]int{}   // presses and beginnings of smoke that count, by device
	seen := map[string]int64{} // when it was first received, Unix ms
	notes := []string{}
	floods := 0
	for n, d := range deeds {
		if d.id != 0 && d.kind == "press" {
			d.id += 10 * floods // a flood takes the place of what was remembered before
		}
		p.ledger.mu.Lock()
		if d.fault != sound {
			p.ledger.plan = []fault{d.fault}
		}
		p.ledger.mu.Unlock()
		switch d.kind {
		case "press":
			name, now := fmt.Sprint(d.device, d.id), time.Now().UnixMilli()
			if d.id == 0 || seen[name] == 0 || now-seen[name] > untimed.Milliseconds() {
				seen[name] = now
				want[d.device]++
			}
			p.press(d.device, pressOf(d))
		case "flood":
			floods++
			p.flood(n, d, want)
		case "dead":
			floods++
			p.kill()
			p.flood(n, d, want)
			p.start()
		case "smoke":
			smoke := d.id > 1
			if smoke && !burning {
				want["smoke"]++
			}
			burning = smoke
			p.event.add(publish("zigbee2mqtt/smoke", "bridge", fmt.Sprintf(`{"smoke":%v,"battery":80}`, smoke)))
		case "note":
			if key, ok := p.note(n); ok {
				notes = append(notes, key)
			}
		case "kill":
			p.kill()
			p.start()
		}
		time.Sleep(d.wait)
		synctest.Wait()
		p.revive()
	}
	p.settle()
	err := errors.Join(p.counted(want), p.noted(notes), p.isFold())
	return errors.Join(err, p.stop())
}

// flood adds a run of repeats, some of them twice and some without identity, with calls of others in between.
func (p *plant) flood(n int, d deed, want map[string]int) {
	for i := range 50 + 70*d.id {
		call := deed{device: d.device, id: 1000*(n+1) + i}
		if i%5 == 4 {
			call.id = 0
		}
		want[d.device]++
		p.press(d.device, pressOf(call))
		if i%7 == 6 && call.id != 0 {
			p.press(d.device, pressOf(call))
		}
		if i%40 == 39 {
			want["b3"]++
			p.press("b3", `{"type":"fall"}`)
			want["b3"]++
			p.press("b3", `{"type":"sos"}`)
		}
	}
}

func pressOf(d deed) string {
	typ := "sos"
	if d.device == "h1" {
		typ = "panic"
	}
	if d.id == 0 {
		return fmt.Sprintf(`{"type":%q}`, typ)
	}
	return fmt.Sprintf(`{"type":%q,"boot":1,"seq":%d}`, typ, d.id)
}

// revive starts a new engine when the last one died.
func (p *plant) revive() {
	select {
	case err := <-p.ended:
		if err != nil && !errors.Is(err, errDisk) {
			p.tb.Logf("ended: %v", err)
		}
		p.start()
		synctest.Wait()
	default:
	}
}

// settle lets everything that is still refused come through.
func (p *plant) settle() {
	for range 3 {
		p.ledger.mu.Lock()
		p.ledger.plan = nil
		p.ledger.mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		p.revive()
	}
}

// note sends a command with a key again and again until it is answered, over restarts, as a page does.
func (p *plant) note(n int) (string, bool) {
	open := p.engine.View().Incidents
	if len(open) == 0 {
		return "", false
	}
	key := fmt.Sprintf("note-%d", n)
	for range 10 {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		_, err := p.engine.Do(ctx, Command{Action: ActionNote, Actor: "ann", Incident: open[0].ID, Text: key, Key: key})
		cancel()
		if err == nil {
			return key, true
		}
		synctest.Wait()
		p.revive()
	}
	p.tb.Fatalf("%s is never answered", key)
	return "", false
}

func (p *plant) counted(want map[string]int) error {
	for device, n := range want {
		got := 0
		for _, i := range p.live(device) {
			got += i.Occurrences
		}
		if got != n || len(p.live(device)) != 1 {
			return fmt.Errorf("%s: %d occurrences in %d incidents, want %d in 1", device, got, len(p.live(device)), n)
		}
	}
	return nil
}

func (p *plant) noted(keys []string) error {
	times := map[string]int{}
	next := uint64(1)
	steps, _ := p.ledger.Read(context.Background(), 1, 1<<30)
	for _, raw := range steps {
		s, err := decodeStep(raw.Body)
		if err != nil {
			return err
		}
		for _, x := range s.Transitions {
			if x.N != next {
				return fmt.Errorf("transition %d follows %d", x.N, next-1)
			}
			next++
			times[x.Text]++
		}
	}
	for _, k := range keys {
		if times[k] != 1 {
			return fmt.Errorf("%s is %d times in the ledger", k, times[k])
		}
	}
	return nil
}

func (p *plant) isFold() error {
	want := canonical(p.tb, p.folded())
	if err := p.stop(); err != nil { // its own goroutine must be gone before its state may be read
		return err
	}
	if got := canonical(p.tb, p.engine.book); got != want {
		return fmt.Errorf("live state:\n%s\nfold of the ledger:\n%s", got, want)
	}
	fresh := p.start()
	synctest.Wait()
	if len(fresh.View().Incidents) != len(p.folded().incidents) || fresh.View().Seq != p.folded().seq {
		return errors.New("a restart shows another state")
	}
	return nil
}
