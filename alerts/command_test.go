package alerts

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// reason of a conflict, or the error's text.
func reason(err error) string {
	if c, ok := errors.AsType[*ConflictError](err); ok {
		return c.Reason
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// at brings a fresh call into a state by the way people do it.
func at(k *desk, s State) *Incident {
	k.event("b1", sos)
	i := k.one("b1")
	if s == StateNew {
		return i
	}
	i = k.must(Command{Action: ActionAcknowledge, Incident: i.ID})
	if s == StateAcknowledged {
		return i
	}
	i = k.must(Command{Action: ActionResolve, Incident: i.ID, Text: "回拨无碍", Disposition: "false_press"})
	if s == StateResolved {
		return i
	}
	return k.must(Command{Action: ActionClose, Incident: i.ID, Actor: "bob"})
}

// TestWorkflow says for each state and action what happens: the state after, or the reason of the 409.
func TestWorkflow(t *testing.T) {
	table := map[State]map[string]string{
		StateNew: {
			ActionAcknowledge: "acknowledged", ActionUnacknowledge: "409 state: new", ActionNote: "new",
			ActionResolve: "409 state: new", ActionClose: "409 state: new", ActionReopen: "409 state: new",
		},
		StateAcknowledged: {
			ActionAcknowledge: "409 state: acknowledged", ActionUnacknowledge: "new", ActionNote: "acknowledged",
			ActionResolve: "resolved", ActionClose: "409 state: acknowledged", ActionReopen: "409 state: acknowledged",
		},
		StateResolved: {
			ActionAcknowledge: "409 state: resolved", ActionUnacknowledge: "409 state: resolved", ActionNote: "resolved",
			ActionResolve: "409 state: resolved", ActionClose: "closed", ActionReopen: "acknowledged",
		},
		StateClosed: {
			ActionAcknowledge: "409 state: closed", ActionUnacknowledge: "409 state: closed", ActionNote: "closed",
			ActionResolve: "409 state: closed", ActionClose: "409 state: closed", ActionReopen: "409 state: closed",
		},
	}
	for from, row := range table {
		for action, want := range row {
			t.Run(string(from)+" "+action, func(t *testing.T) {
				k := newDesk(t)
				was := at(k, from)
				after, err := k.do(Command{
					Action: action, Incident: was.ID, Actor: "bob", IfVersion: &was.Version, Text: "a reason", Disposition: "other",
				})
				if rest, conflict := strings.CutPrefix(want, "409 "); conflict {
					var c *ConflictError
					if !errors.As(err, &c) || c.Reason != rest || c.Current.ID != was.ID {
						t.Fatalf("got %v, want 409 %s", err, rest)
					}
					return
				}
				if err != nil || string(after.State) != want {
					t.Fatalf("got %v %v, want %s", after, err, want)
				}
				if grown := after.Version > was.Version; grown != (action != ActionNote) {
					t.Errorf("version %d after %d", after.Version, was.Version)
				}
			})
		}
	}
}

// TestGuards are the refusals that are not about the state.
func TestGuards(t *testing.T) {
	k := newDesk(t)
	i := at(k, StateAcknowledged)
	for _, c := range []struct {
		name string
		cmd  Command
		want string
	}{
		{"a stale version", Command{Action: ActionResolve, Incident: i.ID, IfVersion: new(uint64(1)), Text: "done it", Disposition: "other"}, "version"},
		{"a stale version on an optional one", Command{Action: ActionNote, Incident: i.ID, IfVersion: new(uint64(1)), Text: "x"}, "version"},
		{"no version", Command{Action: ActionResolve, Incident: i.ID}, "alerts: if_match: want the version of the incident that was seen"},
		{"no disposition of a P1", Command{Action: ActionResolve, Incident: i.ID, IfVersion: new(uint64(2)), Text: "done it"}, "alerts: disposition: want real_120, real_visited, false_press, test, device_fault, unreachable_visited, other"},
		{"an unknown disposition", Command{Action: ActionResolve, Incident: i.ID, IfVersion: new(uint64(2)), Disposition: "fine"}, "alerts: disposition: want real_120, real_visited, false_press, test, device_fault, unreachable_visited, other"},
		{"three characters", Command{Action: ActionResolve, Incident: i.ID, IfVersion: new(uint64(2)), Text: " 误触了 ", Disposition: "other"}, "alerts: text: want at least 4 characters on how it was resolved"},
		{"an empty note", Command{Action: ActionNote, Incident: i.ID, Text: "  "}, "alerts: text: want a note"},
		{"a novel", Command{Action: ActionNote, Incident: i.ID, Text: strings.Repeat("好", 2001)}, "alerts: text: want at most 2000 characters"},
		{"an unknown incident", Command{Action: ActionNote, Incident: "nope", Text: "x"}, ErrNotFound.Error()},
		{"an unknown action", Command{Action: "delete", Incident: i.ID}, "alerts: action: want acknowledge, unacknowledge, note, resolve, close, reopen, open"},
		{"the engine's name", Command{Action: ActionNote, Incident: i.ID, Actor: "engine", Text: "x"}, "alerts: actor: want the name of a user"},
		{"a manual one of another rule", Command{Action: ActionOpen, Rule: "EB-SOS", Text: "x"}, "alerts: rule: want MANUAL"},
		{"a manual one for an unknown device", Command{Action: ActionOpen, Device: "zz", Text: "x"}, "alerts: device: want a registered device, or none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(k.all)
			if _, err := k.do(c.cmd); reason(err) != c.want {
				t.Errorf("got %q, want %q", reason(err), c.want)
			}
			if len(k.all) != before {
				t.Error("a refused command left a transition")
			}
		})
	}
}

// TestTheReviewerIsAnother: who resolved a P1 does not close it, nor does a second version of himself.
func TestTheReviewerIsAnother(t *testing.T) {
	k := newDesk(t)
	i := at(k, StateResolved)
	if _, err := k.do(Command{Action: ActionClose, Incident: i.ID, IfVersion: &i.Version}); reason(err) != "resolved by reviewer" {
		t.Errorf("got %v", err)
	}
	if i = k.must(Command{Action: ActionClose, Incident: i.ID, Actor: "bob"}); i.State != StateClosed || i.Active {
		t.Errorf("%+v", i)
	}
}

// TestTwoAcknowledge: the first wins, the other gets 409; one's own again changes nothing.
func TestTwoAcknowledge(t *testing.T) {
	k := newDesk(t)
	i := at(k, StateAcknowledged)
	if _, err := k.do(Command{Action: ActionAcknowledge, Incident: i.ID, Actor: "bob"}); reason(err) != "state: acknowledged" {
		t.Errorf("bob: %v", err)
	}
	again, err := k.do(Command{Action: ActionAcknowledge, Incident: i.ID})
	if err != nil || again != i {
		t.Errorf("ann again: %v %v", again, err)
	}
}

// TestIdempotency: a repeated key gives the first result, also after others have changed the incident.
func TestIdempotency(t *testing.T) {
	k := newDesk(t)
	i := at(k, StateNew)
	run := func(c Command) (Result, error) {
		s, r, err := k.d.decideCommand(k.book, k.world, c, k.now, k.book.cursors)
		k.apply(s)
		return r, err
	}
	claim := Command{Key: "k1", Actor: "ann", Action: ActionAcknowledge, Incident: i.ID}
	first, err := run(claim)
	if err != nil || first.Repeated {
		t.Fatal(first, err)
	}
	k.must(Command{Action: ActionUnacknowledge, Incident: i.ID})
	second, err := run(claim)
	if err != nil || !second.Repeated || second.Incident.Version != first.Incident.Version || second.Incident.State != StateAcknowledged {
		t.Errorf("second %+v %v", second, err)
	}
	claim.Actor = "bob"
	if third, err := run(claim); err != nil || third.Repeated {
		t.Errorf("another user's key: %+v %v", third, err)
	}
	if _, err := run(Command{Key: "k1", Actor: "ann", Action: ActionNote, Incident: i.ID, Text: "x"}); reason(err) != "alerts: idempotency_key: want a new key: this one was used for another command" {
		t.Errorf("the key of another command: %v", err)
	}
	k.sleep(24 * time.Hour)
	if _, err := run(Command{Key: "k1", Actor: "ann", Action: ActionNote, Incident: i.ID, Text: "x"}); err != nil {
		t.Errorf("a day later: %v", err)
	}
}

// TestManualIncidents: each entry is one of its own, at the priority the person chose.
func TestManualIncidents(t *testing.T) {
	k := newDesk(t)
	a := k.must(Command{Action: ActionOpen, Device: "b1", Text: "邻居来电", Priority: 1})
	b := k.must(Command{Action: ActionOpen, Device: "b1", Text: "12345 转来"})
	if a.ID == b.ID || a.Priority != 1 || b.Priority != 2 || a.Person != "p1" || a.Rule != "MANUAL" {
		t.Errorf("%+v\n%+v", a, b)
	}
	if due, _ := a.deadline("l1"); due != t0+30_000 {
		t.Errorf("deadlines of a P1 by hand %v", a.Deadlines)
	}
	if last := k.all[len(k.all)-1]; last.Actor != "ann" || last.Text != "12345 转来" {
		t.Errorf("%+v", last)
	}
}

// TestCommandsKeepTheWorkflow: whatever people, devices and time do, an incident only moves along the arrows of the package
// comment, its version grows with the workflow and not otherwise, and numbers have no hole.
func TestCommandsKeepTheWorkflow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := newDesk(t)
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			randomInput(rt, k)
		}
		last := map[string]*Incident{}
		for n, x := range k.all {
			if x.N != uint64(n+1) {
				rt.Fatalf("transition %d numbered %d", n+1, x.N)
			}
			checkMove(rt, x, last[x.Incident.ID])
			last[x.Incident.ID] = x.Incident
		}
	})
}

func checkMove(rt *rapid.T, x Transition, was *Incident) {
	if was == nil {
		if x.Kind != KindRaised || x.To != StateNew || x.Incident.Version != 1 {
			rt.Fatalf("first transition %+v", x)
		}
		return
	}
	if x.From != was.State || x.To != x.Incident.State {
		rt.Fatalf("%s says %s to %s, incident went %s to %s", x.Kind, x.From, x.To, was.State, x.Incident.State)
	}
	grows := map[string]bool{
		KindAcknowledged: true, KindUnacknowledged: true, KindResolved: true, KindReopened: true, KindClosed: true,
		KindReactivated: true, KindRecovered: x.From != x.To,
	}
	if grows[x.Kind] != (x.Incident.Version == was.Version+1) || (!grows[x.Kind] && x.Incident.Version != was.Version) {
		rt.Fatalf("%s: version %d after %d", x.Kind, x.Incident.Version, was.Version)
	}
	if was.State == StateClosed && x.Kind != KindNoted {
		rt.Fatalf("%s after closing", x.Kind)
	}
	if x.Incident.Priority == 1 && x.To == StateClosed && x.Kind != KindNoted && x.Actor == engineActor {
		rt.Fatal("the engine closed a P1")
	}
	if x.Incident.Priority > was.Priority {
		rt.Fatalf("priority fell from %d to %d", was.Priority, x.Incident.Priority)
	}
}

// randomInput gives the desk one of anything that can happen.
func randomInput(rt *rapid.T, k *desk) {
	device := rapid.SampledFrom([]string{"b1", "b2", "h1", "x9"}).Draw(rt, "device")
	switch rapid.IntRange(0, 6).Draw(rt, "input") {
	case 0, 1:
		payload := rapid.SampledFrom([]string{
			sos, `{"type":"sos"}`, `{"type":"sos","boot":1,"seq":2}`, `{"type":"panic"}`, `{"type":"cancel"}`, `{"type":"help"}`, "", "{",
			`{"type":"fall","seq":3,"ts":1763888888000}`,
		}).Draw(rt, "payload")
		if device == "x9" {
			k.receive(k.message("wh/v1/gw/child/x9/event", payload))
			return
		}
		k.event(device, payload)
	case 6:
		payload := rapid.SampledFrom([]string{`{"smoke":true}`, `{"smoke":false}`, `{"smoke":true,"tamper":1}`, `{"smoke":"?"}`}).Draw(rt, "level")
		k.world.withSpeakers()
		k.bridge("zigbee2mqtt/"+rapid.SampledFrom([]string{"smoke", "nobody"}).Draw(rt, "address"), payload, false)
	case 2:
		k.sleep(time.Duration(rapid.SampledFrom([]int{0, 1, 20, 65, 700, 20_000, 100_000}).Draw(rt, "seconds")) * time.Second)
		k.fire()
	case 3:
		rule := map[string]string{"b1": "EB-OFFLINE", "b2": "EB-OFFLINE", "h1": "SH-OFFLINE"}[device]
		if rule != "" {
			k.silence(rule, device, rapid.Bool().Draw(rt, "back"))
		}
	default:
		randomCommand(rt, k)
	}
}

func randomCommand(rt *rapid.T, k *desk) {
	c := Command{
		Action: rapid.SampledFrom([]string{
			ActionAcknowledge, ActionUnacknowledge, ActionNote, ActionResolve, ActionClose, ActionReopen, ActionOpen,
		}).Draw(rt, "action"),
		Actor: rapid.SampledFrom([]string{"ann", "bob"}).Draw(rt, "actor"), Text: "what was done", Disposition: "other",
		Key: rapid.SampledFrom([]string{"", "", "k1", "k2"}).Draw(rt, "key"), Priority: Priority(rapid.IntRange(0, 4).Draw(rt, "priority")),
	}
	if ids := sortedKeys(k.book.incidents); len(ids) > 0 {
		c.Incident = rapid.SampledFrom(ids).Draw(rt, "incident")
		v := k.book.incidents[c.Incident].Version
		if rapid.IntRange(0, 9).Draw(rt, "stale") == 0 {
			v--
		}
		c.IfVersion = &v
	}
	if _, err := k.do(c); err != nil {
		var conflict *ConflictError
		var field *InvalidError
		if !errors.As(err, &conflict) && !errors.As(err, &field) && !errors.Is(err, ErrNotFound) {
			rt.Fatalf("%s: %v", c.Action, err)
		}
	}
}
