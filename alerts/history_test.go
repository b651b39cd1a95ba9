package alerts

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// longLedger is a journal whose ledger has an incident of n entries, with others' steps between them, committed a few at a time.
func longLedger(tb testing.TB, n, others int) (*realPlant, string) {
	tb.Helper()
	w := newWorld()
	for o := range others {
		id := fmt.Sprintf("n%d", o)
		w.devices[id] = registry.Device{ID: id, Kind: telemetry.EmergencyButton, Area: "a1"}
	}
	located := benchWorld{w, registry.NewLocator(w.catalog, w.Devices())}
	p := &realPlant{tb: tb, dir: tb.TempDir(), world: located}
	cfg := journal.DefaultConfig()
	cfg.Dir = p.dir
	j, err := journal.Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	k := &desk{tb: tb, d: &decider{rules: shippedRules(tb), epoch: "epoch", writer: "w"}, book: newBook(), now: t0}
	chain := j.Chain("ledger")
	group := [][]byte{}
	commit := func() {
		if _, err := chain.Append(context.Background(), k.book.step-uint64(len(group)), group...); err != nil {
			tb.Fatal(err)
		}
		group = group[:0]
	}
	say := func(device string) {
		k.now += 100
		e := k.message("wh/v1/"+device+"/event", `{"type":"sos"}`)
		s, _ := k.d.decideEvent(k.book, located, e, k.now, cursors{})
		body, err := s.encode()
		if err != nil {
			tb.Fatal(err)
		}
		if err := k.book.apply(k.book.step+1, s); err != nil {
			tb.Fatal(err)
		}
		if group = append(group, body); len(group) == 8 {
			commit()
		}
	}
	for range n {
		say("b1")
		for o := range others {
			say(fmt.Sprintf("n%d", o))
		}
	}
	commit()
	id := k.one("b1").ID
	if err := j.Close(context.Background()); err != nil {
		tb.Fatal(err)
	}
	p.start(0, false)
	return p, id
}

// TestATimelineTakesFewReads: steps that lie close together are read together, and each transition is there once and in order.
func TestATimelineTakesFewReads(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		e := p.start()
		const presses = 300
		for range presses {
			p.press("b1", `{"type":"sos"}`)
			synctest.Wait()
			p.press("b2", `{"type":"sos"}`)
			synctest.Wait()
		}
		before := p.ledger.reads
		line, err := e.Timeline(t.Context(), p.only("b1").ID)
		if err != nil || len(line) != presses {
			t.Fatalf("%d entries, %v", len(line), err)
		}
		for n, x := range line {
			if x.Incident.Device != "b1" || x.Incident.Occurrences != n+1 {
				t.Fatalf("entry %d: %s, occurrence %d", n, x.Incident.Device, x.Incident.Occurrences)
			}
		}
		if n := p.ledger.reads - before; n > presses/ledgerPage+1 {
			t.Errorf("%d reads of the ledger", n)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// BenchmarkOpenIncident is reading the timeline of an incident with 1,200 entries for the first time.
func BenchmarkOpenIncident(b *testing.B) {
	for _, others := range []int{0, 1, 20} {
		b.Run(fmt.Sprintf("among %d others", others), func(b *testing.B) {
			p, id := longLedger(b, 1200, others)
			for b.Loop() {
				line, err := p.engine.Timeline(b.Context(), id)
				if err != nil || len(line) < 1200 {
					b.Fatal(len(line), err)
				}
			}
			p.stop()
		})
	}
}
