package alerts

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"watchhouse/journal"
)

// realPlant is an engine on a journal on disk; only the registry is a fake.
type realPlant struct {
	tb      testing.TB
	dir     string
	world   world // nil = the tests' usual one
	journal *journal.Journal
	engine  *Engine
	chain   *killableChain
	cancel  context.CancelFunc
	ended   chan error
}

// killableChain dies before or after one of its appends.
type killableChain struct {
	*journal.Chain
	mu     sync.Mutex
	at     int // appends until death, 0 = lives
	stored bool
	die    func()
}

func (c *killableChain) Append(ctx context.Context, expect uint64, bodies ...[]byte) ([]journal.Step, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at--; c.at != 0 {
		return c.Chain.Append(ctx, expect, bodies...)
	}
	if c.stored {
		if _, err := c.Chain.Append(ctx, expect, bodies...); err != nil {
			return nil, err
		}
	}
	c.die()
	return nil, journal.ErrClosed
}

func (p *realPlant) start(dieAt int, stored bool) {
	p.tb.Helper()
	cfg := journal.DefaultConfig()
	cfg.Dir = p.dir
	j, err := journal.Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		p.tb.Fatal(err)
	}
	never := make(chan struct{})
	w := p.world
	if w == nil {
		w = newWorld()
	}
	ports := ports{
		ledger: nil, kv: j.KV("alerts"), letters: j.Stream("deadletter"), event: j.Lane(journal.EventLane),
		state: j.Lane(journal.StateLane), telemetry: j.Lane(journal.TelemetryLane), now: time.Now,
		world: func() world { return w }, changed: func() <-chan struct{} { return never }, log: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.chain = &killableChain{Chain: j.Chain("ledger"), at: dieAt, stored: stored, die: cancel}
	ports.ledger = p.chain
	e, err := newEngine(ctx, DefaultConfig(), shippedRules(p.tb), ports)
	if err != nil {
		p.tb.Fatal(err)
	}
	p.journal, p.engine, p.cancel, p.ended = j, e, cancel, make(chan error, 1)
	go func() { p.ended <- e.Run(ctx) }()
}

// stop waits for the engine's end and closes the journal.
func (p *realPlant) stop() {
	p.tb.Helper()
	p.cancel()
	if err := <-p.ended; err != nil {
		p.tb.Fatal(err)
	}
	if err := p.journal.Close(context.Background()); err != nil {
		p.tb.Fatal(err)
	}
}

func (p *realPlant) press(device, payload string) {
	p.tb.Helper()
	m := publish("wh/v1/"+device+"/event", device, payload)
	if _, err := p.journal.Lane(journal.EventLane).Append(context.Background(), m); err != nil {
		p.tb.Fatal(err)
	}
}

// eventually polls until check gives "".
func eventually(tb testing.TB, check func() string) {
	tb.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		what := check()
		if what == "" {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatal(what)
		}
		time.Sleep(time.Millisecond)
	}
}

// TestCrashesOnARealJournal: dying before or after the nth append, with messages without identity, which only the cursors can
// tell apart, the next engine counts each message once.
func TestCrashesOnARealJournal(t *testing.T) {
	for _, n := range []int{1, 2, 5} {
		for _, stored := range []bool{false, true} {
			t.Run(fmt.Sprintf("append %d, stored %v", n, stored), func(t *testing.T) {
				p := &realPlant{tb: t, dir: t.TempDir()}
				p.start(n, stored)
				for k := range 5 {
					p.press("b1", `{"type":"sos"}`)
					if k+1 < n {
						eventually(t, func() string { return p.wantOccurrences("b1", k+1) })
					}
				}
				if err := <-p.ended; err != nil {
					t.Fatal(err)
				}
				p.ended <- nil
				p.stop()
				p.start(0, false)
				p.press("b2", sos)
				eventually(t, func() string { return p.wantOccurrences("b1", 5) })
				eventually(t, func() string { return p.wantOccurrences("b2", 1) })
				p.stop()
				p.start(0, false)
				if what := p.wantOccurrences("b1", 5); what != "" {
					t.Error(what)
				}
				p.stop()
			})
		}
	}
}

func (p *realPlant) wantOccurrences(device string, n int) string {
	got, cards := 0, 0
	for _, i := range p.engine.View().Incidents {
		if i.Device == device {
			got, cards = got+i.Occurrences, cards+1
		}
	}
	if got == n && cards == 1 {
		return ""
	}
	return fmt.Sprintf("%s: %d occurrences on %d cards, want %d on one", device, got, cards, n)
}

// TestACommandOnARealJournal is answered, streamed and durable.
func TestACommandOnARealJournal(t *testing.T) {
	p := &realPlant{tb: t, dir: t.TempDir()}
	p.start(0, false)
	p.press("b1", sos)
	eventually(t, func() string { return p.wantOccurrences("b1", 1) })
	id := p.engine.View().Incidents[0].ID
	res, err := p.engine.Do(t.Context(), claim(id, "k"))
	if err != nil || res.Incident.State != StateAcknowledged {
		t.Fatalf("%+v %v", res, err)
	}
	sub, err := p.engine.Subscribe(0)
	if err != nil {
		t.Fatal(err)
	}
	got := []Transition{}
	for len(got) < 2 {
		got = append(got, <-sub.C()...)
	}
	sub.Close()
	if got[0].Kind != KindRaised || got[1].Kind != KindAcknowledged {
		t.Errorf("%+v", got)
	}
	p.stop()
}
