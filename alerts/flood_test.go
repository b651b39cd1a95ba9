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

// repeatsOf adds n repeats of a device's call; those with identity are numbered on from first.
func (p *plant) repeatsOf(device string, first, n int, identity bool) {
	for i := range n {
		if identity {
			p.press(device, fmt.Sprintf(`{"type":"sos","boot":1,"seq":%d}`, first+i))
		} else {
			p.press(device, `{"type":"sos"}`)
		}
	}
}

// TestRepeatsAreFolded: ten thousand repeats are counted one by one and cost a handful of steps, transitions and receipts.
func TestRepeatsAreFolded(t *testing.T) {
	for _, identity := range []bool{true, false} {
		inBubble(t, func(t *testing.T, p *plant) {
			const n = 10_000
			p.repeatsOf("b1", 1, n, identity)
			p.start()
			synctest.Wait()
			i, steps := p.only("b1"), len(p.ledger.steps)
			if i.Occurrences != n || steps > n/100 || p.engine.View().Seq > uint64(steps) {
				t.Errorf("identity %v: %d occurrences in %d steps and %d transitions", identity, i.Occurrences, steps, p.engine.View().Seq)
			}
			if got, want := i.Causes[len(i.Causes)-1], fmt.Sprintf("event:%d", n); got != want || len(i.Causes) != maxCauses {
				t.Errorf("caused last by %s of %d, want %s", got, len(i.Causes), want)
			}
			if box, _ := p.engine.Outbox(); len(box) > steps {
				t.Errorf("%d receipts", len(box))
			}
			if identity {
				p.repeatsOf("b1", n-seenPerDevice+1, seenPerDevice, true)
				synctest.Wait()
				if again := p.only("b1"); again.Occurrences != n || p.engine.Stats().Duplicates != seenPerDevice {
					t.Errorf("%d occurrences after a redelivery, %d known", again.Occurrences, p.engine.Stats().Duplicates)
				}
			}
			if err := p.isFold(); err != nil {
				t.Error(err)
			}
			if err := p.stop(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestASecondCallInABacklog: a press a minute after the one before is a second call, also in the middle of what is read at once:
// it takes back an acknowledgement, and the order of calls, cancels and other types of one device is kept.
func TestASecondCallInABacklog(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		p.start()
		p.press("b1", `{"type":"sos"}`)
		synctest.Wait()
		if _, err := p.engine.Do(t.Context(), claim(p.only("b1").ID, "")); err != nil {
			t.Fatal(err)
		}
		p.kill()
		p.repeatsOf("b1", 1, 100, false)
		time.Sleep(61 * time.Second)
		p.repeatsOf("b1", 1, 100, false)
		p.press("b1", `{"type":"cancel"}`)
		p.press("b1", `{"type":"fall"}`)
		p.repeatsOf("b1", 1, 10, false)
		p.start()
		synctest.Wait()
		i := p.only("b1")
		if i.Occurrences != 212 || i.State != StateNew || i.AcknowledgedBy != "" || !i.HasBadge(BadgeRepeat) || !i.HasBadge(BadgeCancelled) {
			t.Errorf("%+v", i)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestAPressAmongFloods: ten devices have a thousand calls of changing types and ten thousand repeats waiting when another one
// presses. It is the first of the next round, the floods' turns in a round are bounded, and none of their messages is lost.
func TestAPressAmongFloods(t *testing.T) {
	p := newPlant(t)
	const floods, each = 10, 11_000
	for n := range floods {
		p.world.devices[fmt.Sprintf("x%d", n)] = registry.Device{ID: fmt.Sprintf("x%d", n), Kind: telemetry.EmergencyButton, Area: "a1"}
	}
	b := newBox(p, inboxBytes)
	fixed := benchWorld{p.world, registry.NewLocator(p.world.catalog, p.world.Devices())}
	b.sorter.world = func() world { return fixed }
	for i := range each {
		for n := range floods {
			kind := "sos"
			if i < 1000 && i%2 == 0 {
				kind = "fall"
			}
			b.read(t.Context(), pressed(fmt.Sprintf("x%d", n), fmt.Sprintf(`{"type":%q,"boot":1,"seq":%d}`, kind, i)))
		}
	}
	counted, last := 0, map[string]uint64{}
	for round := 0; b.left(); round++ {
		if round == 3 {
			b.read(t.Context(), pressed("b1", sos))
		}
		turns, records := b.take(time.Now()), 0
		if round == 3 && turns[0][0].entry.Device != "b1" {
			t.Error("the press is not next")
		}
		for _, turn := range turns {
			records += turn.records()
			for _, s := range turn {
				if s.reps[0].id <= last[s.entry.Device] {
					t.Fatalf("message %d of %s after %d", s.reps[0].id, s.entry.Device, last[s.entry.Device])
				}
				last[s.entry.Device] = s.reps[len(s.reps)-1].id
			}
		}
		if counted += records; records > roundRecords+turnRecords {
			t.Errorf("%d messages in a round", records)
		}
	}
	if counted != floods*each+1 {
		t.Errorf("%d of %d messages", counted, floods*each+1)
	}
}

// box is an inbox with a sorter and a world of buttons, read by hand.
type box struct {
	*inbox
	sorter *sorter
	n      uint64
}

func newBox(p *plant, limit int) *box {
	b := &box{inbox: newInbox(limit)}
	b.sorter = &sorter{world: p.ports().world, now: time.Now, seen: newLastSeen(p.ports().world), inbox: b.inbox}
	return b
}

// read takes messages in as the lane's reader does.
func (b *box) read(ctx context.Context, list ...journal.Message) bool {
	batch := laneBatch{}
	for _, m := range list {
		b.n++
		e := journal.Entry{Message: m, ID: b.n, Pos: journal.Position{Frame: b.n}, Next: journal.Position{Frame: b.n, Index: 1}}
		batch.items = append(batch.items, laneItem{Entry: e})
		batch.next, batch.ns = e.Next, m.ReceivedNS
	}
	return b.sorter.take(ctx, batch)
}

func pressed(device, payload string) journal.Message {
	return publish("wh/v1/"+device+"/event", device, payload)
}

// TestWhoHasNothingWaitingIsNext, with one message; the others have their turns, and each device's order is that of the lane.
func TestWhoHasNothingWaitingIsNext(t *testing.T) {
	b := newBox(newPlant(t), inboxBytes)
	for range 2 * turnRecords {
		b.read(t.Context(), pressed("b1", `{"type":"sos"}`))
	}
	b.read(t.Context(), pressed("b1", `{"type":"fall"}`))
	got := func() (list []string) {
		for _, turn := range b.take(time.Now()) {
			list = append(list, fmt.Sprintf("%s %d", turn[0].entry.Device, turn.records()))
		}
		return list
	}
	want := func(text string, list ...string) {
		t.Helper()
		if have := got(); fmt.Sprint(have) != fmt.Sprint(list) {
			t.Errorf("%s: %q, want %q", text, have, list)
		}
	}
	want("the first of a flood by itself, then its turns", "b1 1", "b1 1024", "b1 1024")
	b.read(t.Context(), pressed("b2", sos), pressed("b1", `{"type":"sos"}`), pressed("b2", sos))
	want("who has nothing waiting", "b2 1", "b1 1", "b2 1")
	if n := b.mark().n; n != b.n+1 {
		t.Errorf("everything is decided, the mark is at %d of %d", n, b.n)
	}
}

// TestTheMarkWaitsForTheSlowest: what was decided beyond the mark is told once, and not any more when the mark has passed it.
func TestTheMarkWaitsForTheSlowest(t *testing.T) {
	b := newBox(newPlant(t), inboxBytes)
	for n := range turnRecords {
		b.read(t.Context(), pressed("b1", `{"type":"sos"}`), pressed("b1", fmt.Sprintf(`{"type":"fall","seq":%d}`, n)))
	}
	b.read(t.Context(), pressed("b2", sos))
	last := b.n
	b.serveLast("b2")
	at, ahead := b.tell()
	if at.n != 1 || ahead == nil || !ahead.has(last) || ahead.has(1) {
		t.Errorf("mark %d, ahead %v", at.n, ahead)
	}
	if _, again := b.tell(); again != nil {
		t.Error("told twice")
	}
	for b.left() {
		b.take(time.Now())
	}
	if at, ahead = b.tell(); at.n != last+1 || ahead != nil {
		t.Errorf("mark %d, ahead %v", at.n, ahead)
	}
}

// serveLast serves the device that came last, as if it were in a hurry.
func (b *box) serveLast(device string) {
	b.inbox.mu.Lock()
	defer b.inbox.mu.Unlock()
	b.fresh = b.fresh[:len(b.fresh)-1]
	b.serve(b.queues[device], 1)
}

// TestAFullInboxHoldsTheReaderUp, and nothing else: it goes on as soon as there is room.
func TestAFullInboxHoldsTheReaderUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(newPlant(t), 8<<10)
		done := make(chan bool)
		go func() {
			ok := true
			for n := range 500 {
				ok = ok && b.read(t.Context(), pressed("b1", fmt.Sprintf(`{"type":"sos","boot":1,"seq":%d}`, n)))
			}
			done <- ok
		}()
		synctest.Wait()
		if b.inbox.bytes > b.limit+1024 || b.n > 200 {
			t.Errorf("%d bytes held after %d messages", b.inbox.bytes, b.n)
		}
		time.Sleep(3 * time.Second)
		if wait := b.firstPress(time.Now(), true); wait < 3*time.Second {
			t.Errorf("a press sent now is said to wait %s", wait)
		}
		counted := 0
		for counted < 500 {
			for _, turn := range b.take(time.Now()) {
				counted += turn.records()
			}
			synctest.Wait()
		}
		if !<-done || b.inbox.bytes != 0 || b.waiting != 0 {
			t.Errorf("%d bytes and %d messages left", b.inbox.bytes, b.waiting)
		}
	})
}

// BenchmarkRepeats is what a flood of one device costs, from the lane to the view, on a ledger in memory: each repeat is read,
// known by its identity and counted.
func BenchmarkRepeats(b *testing.B) {
	p := newPlant(b)
	fixed := benchWorld{p.world, registry.NewLocator(p.world.catalog, p.world.Devices())}
	ports := p.ports()
	ports.world = func() world { return fixed }
	n := 0
	for b.Loop() {
		n++
		p.press("b1", fmt.Sprintf(`{"type":"sos","boot":1,"seq":%d}`, n))
	}
	began := time.Now()
	e, err := newEngine(b.Context(), p.cfg, shippedRules(b), ports)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	p.engine, p.cancel, p.ended = e, cancel, make(chan error, 1)
	go func() { p.ended <- e.Run(ctx) }()
	for len(e.View().Incidents) == 0 || e.View().Incidents[0].Occurrences < n {
		time.Sleep(50 * time.Microsecond)
	}
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "repeats/s")
	b.ReportMetric(float64(e.Stats().Steps), "steps")
	if err := p.stop(); err != nil {
		b.Fatal(err)
	}
}
