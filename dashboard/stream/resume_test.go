package stream_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/dashboard/stream"
)

func TestHelloOfAStrangerWaitsForASnapshot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		for i := range 5 {
			b.ledger.Raise(fmt.Sprint("i", i), 1)
		}
		synctest.Wait()
		c := b.open("anna")
		c.say(stream.ClientFrame{T: "hello", Tab: "t1"})
		w := c.next()
		if w.Resume != "snapshot" || w.Epoch != "k7" || w.Head != 5 || w.Build != "test" || w.User.Name != "anna" || w.User.Role != "operator" {
			t.Fatalf("welcome %+v", w)
		}
		b.ledger.Raise("i5", 1) // not for one who has no snapshot yet
		c.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: 5})
		c.last = 5
		if f := c.until("b"); f.F != 6 || f.R != 1 && f.R != 0 {
			t.Fatalf("batch %+v", f)
		}
	})
}

func TestHelloWithAKnownNumberReplaysTheRest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 1000)
		for i := range 600 {
			b.ledger.Raise(fmt.Sprint("i", i), 1)
		}
		synctest.Wait()
		c := b.open("anna")
		if w := c.hello(10); w.Resume != "ok" {
			t.Fatalf("welcome %+v", w)
		}
		for c.last < 600 {
			if f := c.until("b"); f.R != 1 {
				t.Fatalf("batch %d..%d is not marked as replayed", f.F, f.L)
			}
		}
		b.ledger.Raise("new", 1)
		if f := c.until("b"); f.R != 0 || f.E != "k7" {
			t.Fatalf("live batch %+v", f)
		}
		if n := b.ledger.Subscriptions(); n != 1 {
			t.Errorf("%d subscriptions are open after the replay, want the fan-out's", n)
		}
	})
}

func TestNumbersThatAreNotKeptOrNotYetNeedASnapshot(t *testing.T) {
	for _, tc := range []struct {
		name  string
		epoch string
		seq   uint64
	}{
		{"older than what is kept", "k7", 3},
		{"ahead of the ledger", "k7", 1000},
		{"of another ledger", "k8", 50},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := start(t, 50)
				for i := range 60 {
					b.ledger.Raise(fmt.Sprint("i", i), 1)
				}
				synctest.Wait()
				c := b.open("anna")
				c.hello(60)
				c.say(stream.ClientFrame{T: "resume", Epoch: tc.epoch, Seq: tc.seq})
				if f := c.until("resync"); !f.Snapshot {
					t.Fatalf("resync %+v, want a snapshot", f)
				}
				b.ledger.Raise("meanwhile", 1)
				c.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: 61})
				b.ledger.Raise("then", 1)
				c.last = 61
				c.reach(62)
			})
		})
	}
}

func TestSnapshotAheadOfTheDispatchMakesNoDouble(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		// Three wait to be coalesced; the page's snapshot holds two of them already.
		b.ledger.Raise("a", 3)
		asOf := b.ledger.Raise("b", 3)
		b.ledger.Raise("c", 3)
		synctest.Wait()
		c.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: asOf})
		c.last = asOf
		c.reach(3)
	})
}

func TestFanOutSurvivesBeingCutOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 1000)
		c := b.open("anna")
		c.hello(0)
		b.ledger.Raise("a", 1)
		c.reach(1)
		b.ledger.Break(errors.New("no ledger"))
		b.ledger.CutAll()
		b.ledger.Raise("b", 1)
		time.Sleep(3 * time.Second)
		b.ledger.Break(nil)
		b.ledger.Raise("c", 1)
		c.reach(3)
	})
}

func TestFanOutThatLostThePastAsksForSnapshots(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 10)
		c := b.open("anna")
		c.hello(0)
		b.ledger.Break(errors.New("no ledger"))
		b.ledger.CutAll()
		for i := range 50 {
			b.ledger.Raise(fmt.Sprint("i", i), 1)
		}
		b.ledger.Break(nil)
		if f := c.until("resync"); !f.Snapshot {
			t.Error("no snapshot asked for")
		}
		c.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: 50})
		c.last = 50
		b.ledger.Raise("z", 1)
		c.reach(51)
	})
}

func TestReplayCutOffByTheEngineIsResumed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 10_000)
		for i := range 2000 {
			b.ledger.Raise(fmt.Sprint("i", i), 1)
		}
		synctest.Wait()
		c := b.open("anna")
		c.say(stream.ClientFrame{T: "hello", Epoch: "k7", Seq: 0})
		synctest.Wait() // the writer stands in its first write
		for b.ledger.Subscriptions() < 2 {
			c.until("welcome")
		}
		b.ledger.CutAll()
		for c.last < 2000 {
			f := c.next()
			switch f.T {
			case "b":
				if err := c.take(f); err != nil {
					t.Fatal(err)
				}
			case "resync":
				c.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: c.last})
			}
		}
	})
}
