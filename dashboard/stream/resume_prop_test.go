package stream_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"watchhouse/alerts"
	"watchhouse/dashboard/stream"
)

// move is one thing that happens in the history of a console.
type move struct {
	kind string // raise, many, pause, drop, cut, gap
	p    alerts.Priority
}

// TestEveryHistoryIsCompleteAndWithoutDoubles drives a console as the page does (drop what it has, resume on a hole,
// snapshot when told) through raises, floods, lost links and cut-off subscriptions: in the end it has every number once.
func TestEveryHistoryIsCompleteAndWithoutDoubles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		moves := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) move {
			return move{
				kind: rapid.SampledFrom([]string{"raise", "raise", "many", "pause", "drop", "cut", "gap"}).Draw(rt, "kind"),
				p:    rapid.SampledFrom([]alerts.Priority{1, 2, 3, 4}).Draw(rt, "p"),
			}
		}), 1, 25).Draw(rt, "moves")
		var failed error
		synctest.Test(t, func(t *testing.T) { failed = live(t, moves) })
		if failed != nil {
			rt.Fatal(failed)
		}
	})
}

func live(t *testing.T, moves []move) error {
	b := start(t, 2000)
	defer b.stop()
	p := &page{b: b, got: map[uint64]int{}}
	if err := p.connect(); err != nil {
		return err
	}
	for _, m := range moves {
		if err := p.do(m); err != nil {
			return err
		}
	}
	b.ledger.Raise("last", 1)
	if err := p.readTo(b.ledger.Head()); err != nil {
		return err
	}
	for n := uint64(1); n <= b.ledger.Head(); n++ {
		if p.got[n] == 0 && n > p.snapshot {
			return fmt.Errorf("number %d is missing (snapshot at %d)", n, p.snapshot)
		}
		if p.got[n] > 1 {
			return fmt.Errorf("number %d was taken %d times", n, p.got[n])
		}
	}
	return nil
}

// page is the console's client as the protocol asks for it.
type page struct {
	b        *bench
	c        *console
	epoch    string
	last     uint64
	snapshot uint64
	got      map[uint64]int
}

func (p *page) connect() error {
	p.c = p.b.open("anna")
	p.say("hello")
	return nil
}

func (p *page) do(m move) error {
	switch m.kind {
	case "raise":
		p.b.ledger.Raise(fmt.Sprint("i", p.b.ledger.Head()), m.p)
	case "many": // more than a queue, less than is kept
		for range 1200 {
			p.b.ledger.Raise(fmt.Sprint("i", p.b.ledger.Head()), m.p)
		}
		synctest.Wait()
	case "pause":
		time.Sleep(time.Second)
	case "drop":
		p.c.conn.Close()
		return p.connect()
	case "cut":
		p.b.ledger.CutAll()
		synctest.Wait()
	case "gap": // the page missed something: it goes back to what it has
		p.say("resume")
	}
	return nil
}

// say may fail when the hub has closed the link meanwhile; the next read finds out.
func (p *page) say(kind string) {
	_ = p.c.conn.WriteJSON(stream.ClientFrame{T: kind, Epoch: p.epoch, Seq: p.last})
}

func (p *page) readTo(head uint64) error {
	for p.last < head {
		f, err := p.c.read()
		if err != nil { // the write deadline: as any page, come again
			if err := p.connect(); err != nil {
				return err
			}
			continue
		}
		if err := p.take(f); err != nil {
			return err
		}
	}
	return nil
}

func (p *page) take(f frame) error {
	switch {
	case f.T == "welcome" && f.Resume == "snapshot", f.T == "resync" && f.Snapshot:
		p.epoch = "k7"
		p.last = p.b.ledger.Head() // GET /snapshot
		p.snapshot = p.last
		p.say("resume")
	case f.T == "resync":
		p.say("resume")
	case f.T == "b" && f.F > p.last+1:
		return fmt.Errorf("hole between %d and %d..%d", p.last, f.F, f.L)
	case f.T == "b":
		for _, e := range f.Ev {
			if e.N > p.last {
				p.got[e.N]++
				p.last = e.N
			}
		}
	case f.T == "hb" && f.Head > p.last:
		return fmt.Errorf("heartbeat names %d, but only %d were sent", f.Head, p.last)
	}
	return nil
}
