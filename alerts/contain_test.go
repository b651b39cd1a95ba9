package alerts

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
)

// wickedWorld panics the next few times it is asked for its revision, which every decision asks for.
type wickedWorld struct {
	*fakeWorld
	bad int
}

func (w *wickedWorld) Revision() uint64 {
	if w.bad > 0 {
		w.bad--
		panic("a bug")
	}
	return w.fakeWorld.Revision()
}

// TestAPanicIsContained whatever the decision was about: it is raised once, naming its input, and what would bring the same input
// back is cleared in the step that raises it.
func TestAPanicIsContained(t *testing.T) {
	rules := shippedRules(t)
	silent := func(back bool) silence {
		return silence{rule: rules.byID["EB-OFFLINE"], device: newWorld().devices["b1"], at: time.Now().UnixMilli(), back: back, reason: "test"}
	}
	heat := finding{Rule: "WS-TEMP", Device: "s1", Up: true, At: 1, Cause: "telemetry:7"}
	full := finding{Rule: "EB-POWER", Device: "b1", Up: true, At: 1, Cause: "telemetry:8"}
	for _, tc := range []struct {
		name, text string
		input      func(e *Engine, g *group) error
		cleared    func(e *Engine) bool
	}{
		{"message", "event:9 from b2", func(e *Engine, g *group) error { return e.hear(g, messageTurn("b2", sos)) }, nil},
		{"command", "command note on ", func(e *Engine, g *group) error {
			q := &request{ctx: context.Background(), command: Command{Action: ActionNote, Actor: "ann", Text: "x", Incident: theCall(e).ID}, answer: make(chan answer, 1)}
			defer func() {
				g.answers[0]()
				if a := <-q.answer; !errors.Is(a.err, ErrUndecided) {
					t.Errorf("answered %v", a.err)
				}
			}()
			return e.command(g, q)
		}, nil},
		{"delivery", "delivery ", func(e *Engine, g *group) error {
			return e.command(g, &request{ctx: context.Background(), settle: &settlement{ID: sortedKeys(e.book.outbox)[0], Result: "x"}, answer: make(chan answer, 1)})
		}, func(e *Engine) bool { return len(e.book.outbox) == 0 }},
		{"clock", "clock louder of incident ", func(e *Engine, g *group) error {
			at := e.nowMS() + 16_000
			due, _ := e.clocks.pop(e.book, at)
			e.book.now = at
			return e.clock(g, due, at)
		}, func(e *Engine) bool { _, armed := theCall(e).deadline("louder"); return !armed }},
		{"acknowledgement", "state:3 from b1", func(e *Engine, g *group) error {
			m := publish("wh/v1/b1/command/ack", "b1", `{"id":"`+sortedKeys(e.book.outbox)[0]+`","result":"accepted"}`)
			return e.stateEntry(g, &laneItem{Entry: journal.Entry{Message: m, ID: 3, Pos: journal.Position{Frame: 3}, Next: journal.Position{Frame: 3, Index: 1}}})
		}, func(e *Engine) bool { return e.at.state.pos.Frame == 3 }},
		{"silence", "EB-OFFLINE of b1", func(e *Engine, g *group) error { return e.silences(g, []silence{silent(false)}) },
			func(e *Engine) bool { return e.book.conditions["EB-OFFLINE:b1"].Active }},
		{"latched finding", "WS-TEMP of s1", func(e *Engine, g *group) error { return e.findings(g, []finding{heat}) },
			func(e *Engine) bool { return e.book.conditions["WS-TEMP:s1"].Cause == heat.Cause }},
		{"finding", "EB-POWER of b1", func(e *Engine, g *group) error { return e.findings(g, []finding{full}) },
			func(e *Engine) bool { return e.book.conditions["EB-POWER:b1"].Active }},
		{"registry", "registry cannot be applied to smoke", func(e *Engine, g *group) error { return e.gone(g, []string{"smoke"}) },
			func(e *Engine) bool { return len(e.book.levels) == 0 }},
		{"hole", "messages 2 to 4", func(e *Engine, g *group) error {
			return e.gap(g, &journal.GapError{Lane: journal.EventLane, From: 2, To: 4, Err: errDisk})
		}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPlant(t)
			w := &wickedWorld{fakeWorld: p.world}
			ports := p.ports()
			ports.world = func() world { return w }
			e, err := newEngine(t.Context(), p.cfg, rules, ports)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.hear(&group{}, messageTurn("b1", sos)); err != nil {
				t.Fatal(err)
			}
			e.book.levels["smoke"] = []string{"smoke"}
			w.bad = 1
			g := &group{}
			if err := tc.input(e, g); err != nil || len(g.steps) != 1 || w.bad != 0 {
				t.Fatalf("%d steps, %v", len(g.steps), err)
			}
			s := g.steps[0]
			last := s.Transitions[len(s.Transitions)-1]
			if s.Cause != causeFault || last.Incident.Rule != faultRule || last.Incident.Priority != 1 || !strings.Contains(last.Text, tc.text) {
				t.Errorf("%s: %s %q", s.Cause, last.Incident.Rule, last.Text)
			}
			if tc.cleared != nil && !tc.cleared(e) {
				t.Errorf("not cleared: %+v", s)
			}
			if err := e.hear(&group{}, messageTurn("b3", sos)); err != nil || len(e.book.incidents) != 3 {
				t.Errorf("the next press: %d incidents, %v", len(e.book.incidents), err)
			}
		})
	}
}

func messageTurn(device, payload string) turn {
	e := journal.Entry{Message: publish("wh/v1/"+device+"/event", device, payload), ID: 9}
	return turn{share{&item{entry: e}, []arrival{{id: 9, receivedNS: e.ReceivedNS}}}}
}

func theCall(e *Engine) *Incident {
	for _, i := range e.book.incidents {
		if i.Device == "b1" {
			return i
		}
	}
	return nil
}

// TestOneBadInputSpoilsNoOther: of a list of findings and of messages decided together, only the faulty one is put aside.
func TestOneBadInputSpoilsNoOther(t *testing.T) {
	p := newPlant(t)
	bad := &panickyWorld{fakeWorld: p.world}
	ports := p.ports()
	ports.world = func() world { return bad }
	e, err := newEngine(t.Context(), p.cfg, shippedRules(t), ports)
	if err != nil {
		t.Fatal(err)
	}
	g := &group{}
	mixed := append(append(messageTurn("b1", sos), messageTurn("poison", sos)...), messageTurn("b2", `{"type":"fall"}`)...)
	if err := e.hear(g, mixed); err != nil || len(e.book.incidents) != 3 {
		t.Errorf("%d incidents, %v", len(e.book.incidents), err)
	}
}

// TestALookThatPanicsIsNotRepeated: neither in this life nor, once told, in the next.
func TestALookThatPanicsIsNotRepeated(t *testing.T) {
	p := newPlant(t)
	w := &blindWorld{p.world}
	ports := p.ports()
	ports.world = func() world { return w }
	e, err := newEngine(t.Context(), p.cfg, shippedRules(t), ports)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		e.absence.broken = map[look]bool{} // as after a start
		for range 3 {
			e.absence.supervise(w.Devices())
			if found := e.absence.findings(e.book, w, time.Now().UnixNano(), 100); len(found) > 0 {
				t.Errorf("%+v", found)
			}
			for _, f := range e.absence.failed() {
				if err := e.failed(&group{}, unseen(f.look), f.err); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, i := range e.book.incidents {
		if i.Rule != faultRule || i.Occurrences > len(e.rules.list) {
			t.Errorf("%+v", i)
		}
	}
	if len(e.book.incidents) != 1 {
		t.Errorf("%d incidents", len(e.book.incidents))
	}
}

// blindWorld panics when it is asked for the device b1.
type blindWorld struct{ *fakeWorld }

func (w *blindWorld) Device(id string) (d registry.Device, ok bool) {
	if id == "b1" {
		panic("a bug")
	}
	return w.fakeWorld.Device(id)
}
