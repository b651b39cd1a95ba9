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

	"go.uber.org/goleak"

	"watchhouse/journal"
	"watchhouse/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inBubble runs a plant on fake time; whatever goroutine is left over fails the test.
func inBubble(t *testing.T, do func(t *testing.T, p *plant)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { do(t, newPlant(t)) })
}

func claim(incident, key string) Command {
	return Command{Action: ActionAcknowledge, Actor: "ann", Incident: incident, Key: key}
}

// TestAPressIsShownAndTold: from the lane to the view, the stream, the outbox, and after a restart the same.
func TestAPressIsShownAndTold(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		e := p.start()
		sub, err := e.Subscribe(0)
		if err != nil {
			t.Fatal(err)
		}
		p.press("b1", sos)
		got := <-sub.C()
		if len(got) != 1 || got[0].Kind != KindRaised || got[0].N != 1 || got[0].Incident.Device != "b1" {
			t.Fatalf("%+v", got)
		}
		i := p.only("b1")
		synctest.Wait() // the stream is told before the outbox
		if box, _ := e.Outbox(); len(box) != 1 || box[0].Incident != i.ID {
			t.Errorf("outbox %v", box)
		}
		res, err := e.Do(t.Context(), claim(i.ID, "k1"))
		if err != nil || res.Incident.State != StateAcknowledged {
			t.Fatalf("%+v %v", res, err)
		}
		sub.Close()
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Do(t.Context(), claim(i.ID, "k1")); !errors.Is(err, ErrStopped) || !errors.Is(err, journal.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
		again := p.start()
		if res, err = again.Do(t.Context(), claim(i.ID, "k1")); err != nil || !res.Repeated {
			t.Errorf("the key after a restart: %+v %v", res, err)
		}
		if now := p.only("b1"); now.State != StateAcknowledged || again.Epoch() != e.Epoch() {
			t.Errorf("%+v", now)
		}
		if line, err := again.Timeline(t.Context(), i.ID); err != nil || len(line) != 2 || line[1].Kind != KindAcknowledged {
			t.Errorf("timeline %+v %v", line, err)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestARaceOfTwo: two operators in the same moment, one wins, the other learns who.
func TestARaceOfTwo(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		e := p.start()
		p.press("b1", sos)
		p.press("b1", sos)
		synctest.Wait()
		i := p.only("b1")
		if i.Occurrences != 1 {
			t.Fatalf("%+v", i)
		}
		errs := make(chan error, 2)
		for _, who := range []string{"ann", "bob"} {
			go func() {
				_, err := e.Do(context.Background(), Command{Action: ActionAcknowledge, Actor: who, Incident: i.ID})
				errs <- err
			}()
		}
		a, b := <-errs, <-errs
		if a == nil {
			a, b = b, a
		}
		var c *ConflictError
		if b != nil || !errors.As(a, &c) || c.Current.AcknowledgedBy == "" {
			t.Errorf("%v, %v", a, b)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestClocksOnTheSecond: the ladder runs in the engine, and a restart neither delays nor repeats it.
func TestClocksOnTheSecond(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		p.start()
		p.press("b1", sos)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		raised := p.only("b1").RaisedAt
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(45 * time.Second)
		e := p.start()
		time.Sleep(200 * time.Second)
		synctest.Wait()
		line, err := e.Timeline(t.Context(), p.only("b1").ID)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, x := range line {
			got = append(got, fmt.Sprintf("%s %s %d", x.Kind, x.Text, (x.At-raised)/1000))
		}
		want := []string{"raised sos 0", "escalated louder 15", "escalated l1 65", "escalated auto_dispatch 65", "escalated l3 180", "escalated remind 240"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestAStubbornDisk: while the ledger refuses nothing is shown; when it takes the step everything is, once. An append whose
// answer was lost is found and not repeated.
func TestAStubbornDisk(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		p.ledger.plan = []fault{refused, refused, refused, lost}
		e := p.start()
		p.press("b1", sos)
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		if n := len(e.View().Incidents); n != 0 {
			t.Fatalf("%d incidents shown before they are on disk", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if i := p.only("b1"); i.Occurrences != 1 || e.Stats().Steps != 1 || e.Stats().Retries != 3 {
			t.Errorf("%+v %+v", i, e.Stats())
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		if len(p.ledger.steps) != 1 {
			t.Errorf("%d steps", len(p.ledger.steps))
		}
	})
}

// TestAnotherWriter ends the engine: it is no longer the leader and must not go on deciding.
func TestAnotherWriter(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		e := p.start()
		p.press("b1", sos)
		synctest.Wait()
		other := newDesk(t)
		other.event("b2", sos)
		p.ledger.mu.Lock()
		p.ledger.steps = append(p.ledger.steps, p.ledger.next(other.steps[0]))
		p.ledger.mu.Unlock()
		p.press("b3", sos)
		if err := <-p.ended; !errors.Is(err, ErrNotLeader) || !errors.Is(err, journal.ErrConflict) {
			t.Errorf("got %v", err)
		}
		if len(p.live("b3")) != 0 {
			t.Error("shown what is not in the ledger")
		}
		if _, err := e.Do(t.Context(), claim("x", "")); !errors.Is(err, ErrStopped) {
			t.Errorf("got %v", err)
		}
		if _, ok := p.kv.m[bookKey]; ok {
			t.Error("left a snapshot of a state that is not the ledger's")
		}
	})
}

// TestAHoleInTheLane is an incident, and what lies behind it is read.
func TestAHoleInTheLane(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		p.event.gapAt = 2
		p.press("b1", sos)
		p.press("b2", sos)
		p.press("b3", sos)
		e := p.start()
		synctest.Wait()
		list := p.live("")
		if len(list) != 1 || list[0].Rule != gapRule || list[0].Priority != 1 || len(p.live("b1")) != 1 || len(p.live("b3")) != 1 {
			t.Fatalf("%+v", e.View().Incidents)
		}
		line, err := e.Timeline(t.Context(), list[0].ID)
		if err != nil || !strings.Contains(line[0].Text, "messages 2 to 2") {
			t.Errorf("%+v %v", line, err)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		p.start()
		synctest.Wait()
		if i := p.live("")[0]; i.Occurrences != 1 {
			t.Errorf("raised again after a restart: %+v", i)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestAMessageThatCannotBeJudged stops nobody else.
func TestAMessageThatCannotBeJudged(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		bad := &panickyWorld{fakeWorld: p.world}
		ports := p.ports()
		ports.world = func() world { return bad }
		e, err := newEngine(t.Context(), p.cfg, shippedRules(t), ports)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		p.engine, p.cancel, p.ended = e, cancel, make(chan error, 1)
		go func() { p.ended <- e.Run(ctx) }()
		p.press("poison", sos)
		p.press("b1", sos)
		synctest.Wait()
		if len(p.live("b1")) != 1 || len(p.live("")) != 1 || p.live("")[0].Rule != faultRule {
			t.Errorf("%+v", e.View().Incidents)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// panickyWorld fails whenever it is asked about one device.
type panickyWorld struct{ *fakeWorld }

func (w *panickyWorld) Locate(topic, sender string) (registry.Origin, error) {
	if sender == "poison" {
		panic("a bug")
	}
	return w.fakeWorld.Locate(topic, sender)
}

// TestDeadLettersAndCounts are for the maintainer.
func TestDeadLettersAndCounts(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		e := p.start()
		p.press("gw", "{{")
		p.press("b1", sos)
		p.press("b1", sos)
		m := publish("wh/v1/b2/event", "bridge", sos)
		m.Retain = true
		p.event.add(m)
		synctest.Wait()
		s := e.Stats()
		if s.Undecodable != 1 || s.Duplicates != 1 || s.Retained != 1 || s.Transitions != 1 || len(p.letters.list) != 1 {
			t.Errorf("%+v %v", s, p.letters.list)
		}
		if n, behind := e.Lag(); n != 0 || behind != 0 {
			t.Errorf("lag %d %s", n, behind)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSnapshotsLetTheLanesForget: the cursors move with the snapshot, and a start from it equals one from the ledger alone.
func TestSnapshotsLetTheLanesForget(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		p.start()
		p.press("b1", sos)
		time.Sleep(p.cfg.SnapshotInterval + 2*time.Second)
		synctest.Wait()
		p.event.mu.Lock()
		moved := p.event.cursor
		p.event.mu.Unlock()
		if moved.Frame != 1 {
			t.Errorf("cursor %s", moved)
		}
		p.press("b2", sos)
		synctest.Wait()
		p.ledger.mu.Lock()
		p.ledger.plan = []fault{dying}
		p.ledger.mu.Unlock()
		p.press("b3", sos)
		if err := <-p.ended; err != nil {
			t.Fatal(err)
		}
		from, err := newEngine(t.Context(), p.cfg, shippedRules(p.tb), p.ports())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := canonical(t, from.book), canonical(t, p.folded()); got != want {
			t.Errorf("from the snapshot:\n%s\nfrom the ledger:\n%s", got, want)
		}
	})
}
