package alerts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// presses adds calls of one device that each make a transition: none waits while another is decided.
func (p *plant) presses(n int) {
	for range n {
		p.press("b1", `{"type":"sos"}`)
		synctest.Wait()
	}
}

// TestNoGapNoDouble: from any number, over what is in the ledger only, what is in the ring and what is still to come, with
// restarts between, a subscriber gets every number once and in order.
func TestNoGapNoDouble(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		before := rapid.IntRange(0, 300).Draw(rt, "before a restart")
		kept := rapid.IntRange(0, 100).Draw(rt, "before subscribing")
		live := rapid.IntRange(0, 100).Draw(rt, "after")
		after := rapid.IntRange(0, before+kept).Draw(rt, "subscribe after")
		restart := rapid.Bool().Draw(rt, "restart")
		var wrong error
		synctest.Test(t, func(t *testing.T) {
			p := newPlant(t)
			p.start()
			p.presses(before)
			synctest.Wait()
			if restart {
				if wrong = p.stop(); wrong != nil {
					return
				}
				p.start()
			}
			p.presses(kept)
			synctest.Wait()
			wrong = p.follow(uint64(after), uint64(before+kept+live), func() { p.presses(live) })
			wrong = errors.Join(wrong, p.stop())
		})
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

// follow subscribes after a number and reads until the last one, while something goes on.
func (p *plant) follow(after, last uint64, meanwhile func()) error {
	sub, err := p.engine.Subscribe(after)
	if err != nil {
		return err
	}
	defer sub.Close()
	var busy sync.WaitGroup
	busy.Go(meanwhile)
	defer busy.Wait()
	for next := after + 1; next <= last; {
		list, ok := <-sub.C()
		if !ok {
			return fmt.Errorf("ended before %d", next)
		}
		for _, x := range list {
			if x.N != next || x.Incident == nil {
				return fmt.Errorf("got %d, want %d", x.N, next)
			}
			next++
		}
	}
	return nil
}

// TestTooOld and too new numbers are sent to the snapshot.
func TestTooOld(t *testing.T) {
	r := newRing(ringSize + 10)
	e := &Engine{ring: r}
	for _, after := range []uint64{0, 9, ringSize + 11} {
		if _, err := e.Subscribe(after); !errors.Is(err, ErrTooOld) {
			t.Errorf("after %d: %v", after, err)
		}
	}
	if e.Oldest() != 10 {
		t.Errorf("oldest %d", e.Oldest())
	}
	r.add([]Transition{{N: ringSize + 11}})
	if e.Oldest() != 11 {
		t.Errorf("oldest %d", e.Oldest())
	}
}

// TestTheRingTurns: once full, the oldest make room and the order stays.
func TestTheRingTurns(t *testing.T) {
	r := newRing(0)
	for n := uint64(1); n <= ringSize+100; n++ {
		r.add([]Transition{{N: n}})
	}
	list, ok, _, _ := r.after(ringSize-10, 1000)
	if !ok || len(list) != 110 || list[0].N != ringSize-9 || list[109].N != ringSize+100 {
		t.Errorf("%v %d transitions from %d", ok, len(list), list[0].N)
	}
	if _, ok, _, _ = r.after(99, 1); ok {
		t.Error("number 100 is still there")
	}
	if list, ok, _, _ = r.after(100, 1); !ok || list[0].N != 101 {
		t.Errorf("%v %v", list, ok)
	}
}

// TestAReaderThatStopsReading is cut, and holds nobody up.
func TestAReaderThatStopsReading(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		e := p.start()
		slow, err := e.Subscribe(0)
		if err != nil {
			t.Fatal(err)
		}
		p.presses(100)
		time.Sleep(10 * time.Second)
		if slow.Resync() {
			t.Fatal("cut for a hundred")
		}
		if err := p.follow(100, 1600, func() { p.presses(1500) }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, ok := <-slow.C(); ok || !slow.Resync() {
			t.Error("a reader 1,600 behind was not cut")
		}
		slow.Close()
		slow.Close()
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestTheEndReachesEverySubscriber: after what was committed the channel is closed, without asking for a resync.
func TestTheEndReachesEverySubscriber(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		e := p.start()
		sub, err := e.Subscribe(0)
		if err != nil {
			t.Fatal(err)
		}
		p.press("b1", sos)
		synctest.Wait()
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		if list, ok := <-sub.C(); !ok || len(list) != 1 {
			t.Errorf("%v %v", list, ok)
		}
		if _, ok := <-sub.C(); ok || sub.Resync() {
			t.Error("not ended in good order")
		}
	})
}

// TestTimelineOfTheForgotten: what the live state no longer holds is found in the ledger.
func TestTimelineOfTheForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		e := p.start()
		p.press("b2", sos)
		time.Sleep(time.Minute)
		p.press("b1", sos)
		synctest.Wait()
		i := p.only("b1")
		for _, c := range []Command{
			{Action: ActionAcknowledge, Actor: "ann"},
			{Action: ActionResolve, Actor: "ann", Text: "回拨无碍", Disposition: "false_press", IfVersion: new(uint64(2))},
			{Action: ActionClose, Actor: "bob", IfVersion: new(uint64(3))},
		} {
			c.Incident = i.ID
			if _, err := e.Do(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(25 * time.Hour)
		p.press("b3", sos)
		synctest.Wait()
		if _, ok := e.View().Incident(i.ID); ok {
			t.Fatal("not forgotten")
		}
		line, err := e.Timeline(t.Context(), i.ID)
		if err != nil || len(line) != 4 || line[0].Kind != KindRaised || line[3].Kind != KindClosed {
			t.Errorf("%+v %v", line, err)
		}
		for _, id := range []string{"nonsense", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"} {
			if _, err := e.Timeline(t.Context(), id); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v", id, err)
			}
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestViewsAreNeverChanged: one that was taken shows the same for ever, and they equal the book's.
func TestViewsAreNeverChanged(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		e := p.start()
		empty := e.View()
		for n := range 20 {
			p.press([]string{"b1", "b2", "b3", "h1"}[n%4], fmt.Sprintf(`{"type":"sos","boot":2,"seq":%d}`, n))
			synctest.Wait()
			v := e.View()
			if v.Seq != uint64(len(p.ledger.steps)) && n < 3 {
				t.Errorf("seq %d", v.Seq)
			}
			for _, i := range v.Incidents {
				if got, ok := v.Incident(i.ID); !ok || got != i {
					t.Errorf("%s not found", i.ID)
				}
			}
		}
		if len(empty.Incidents) != 0 || empty.Seq != 0 {
			t.Errorf("the first view has changed: %+v", empty)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		want := viewOf(e.book)
		got := e.View()
		if len(got.Incidents) != len(want.Incidents) || got.Seq != want.Seq {
			t.Fatalf("%d incidents, want %d", len(got.Incidents), len(want.Incidents))
		}
		for n := range got.Incidents {
			if got.Incidents[n] != want.Incidents[n] {
				t.Errorf("%+v", got.Incidents[n])
			}
		}
	})
}

// TestDoEndsWithItsContext, whatever the disk does.
func TestDoEndsWithItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		e := p.start()
		p.press("b1", sos)
		synctest.Wait()
		p.ledger.plan = make([]fault, 1000)
		for n := range p.ledger.plan {
			p.ledger.plan[n] = refused
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := e.Do(ctx, claim(p.only("b1").ID, "k")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		p.ledger.mu.Lock()
		p.ledger.plan = nil
		p.ledger.mu.Unlock()
		time.Sleep(3 * time.Second)
		if res, err := e.Do(t.Context(), claim(p.only("b1").ID, "k")); err != nil || !res.Repeated {
			t.Errorf("the same key tells the outcome: %+v %v", res, err)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}
