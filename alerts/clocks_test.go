package alerts

import (
	"slices"
	"testing"
	"time"
)

// TestACallNobodyTakes is the ladder of a P1: louder, shift lead, automatic dispatch, street leader, each on its second.
func TestACallNobodyTakes(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	at := map[string]int64{}
	for k.now < t0+200_000 {
		before := len(k.all)
		k.pass(time.Second)
		for _, x := range k.all[before:] {
			at[x.Text] = (x.At - t0) / 1000
		}
	}
	k.wantKinds("raised", "escalated louder", "escalated l1", "escalated auto_dispatch", "escalated l3")
	for name, want := range map[string]int64{"louder": 15, "l1": 30, "auto_dispatch": 60, "l3": 180} {
		if at[name] != want {
			t.Errorf("%s fired after %d s, want %d", name, at[name], want)
		}
	}
	if i := k.one("b1"); i.State != StateNew || i.Version != 1 {
		t.Errorf("clocks are no workflow: %+v", i)
	}
}

// TestAnAcknowledgementIsAPromise: it stops the ladder for 120 s, and if it leads to nothing the call rings again.
func TestAnAcknowledgementIsAPromise(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	k.pass(10 * time.Second)
	i := k.must(Command{Action: ActionAcknowledge, Incident: k.one("b1").ID})
	if !slices.Equal(i.Deadlines, []Deadline{{"progress", t0 + 130_000}}) {
		t.Fatalf("deadlines %v", i.Deadlines)
	}
	k.pass(119 * time.Second)
	k.must(Command{Action: ActionNote, Incident: i.ID, Text: "正在回拨"})
	k.wantKinds("raised", "acknowledged", "noted")
	k.pass(time.Second)
	i = k.one("b1")
	if i.State != StateNew || i.Supervise != 1 || i.AcknowledgedBy != "" || i.Version != 2 {
		t.Errorf("after the lapse %+v", i)
	}
	if due, _ := i.deadline("louder"); due != t0+145_000 {
		t.Errorf("deadlines %v", i.Deadlines)
	}
}

// TestGivingBack: an incident given back rings as if it had just come.
func TestGivingBack(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	k.pass(20 * time.Second)
	k.must(Command{Action: ActionAcknowledge, Incident: k.one("b1").ID})
	k.pass(20 * time.Second)
	i := k.must(Command{Action: ActionUnacknowledge, Incident: k.one("b1").ID})
	if due, _ := i.deadline("l3"); i.State != StateNew || due != t0+220_000 || i.AcknowledgedBy != "" {
		t.Errorf("%+v", i)
	}
	if _, ok := i.deadline("progress"); ok {
		t.Error("the promise still runs")
	}
}

// TestWhatFellDueWhileDown fires at once and in order; a louder ring that a later page supersedes is recorded as skipped.
func TestWhatFellDueWhileDown(t *testing.T) {
	for _, c := range []struct {
		name string
		prep func(k *desk)
		down time.Duration
		want []string
	}{
		{"20 s", nil, 20 * time.Second, []string{"raised", "escalated louder"}},
		{"70 s", nil, 70 * time.Second, []string{"raised", "skipped louder", "escalated l1", "escalated auto_dispatch"}},
		{"an hour", nil, time.Hour, []string{"raised", "skipped louder", "escalated l1", "escalated auto_dispatch", "escalated l3"}},
		{"a promise, 130 s", ack, 130 * time.Second, []string{"raised", "acknowledged", "lapsed"}},
		{"a promise, 140 s", ack, 140 * time.Second, []string{"raised", "acknowledged", "lapsed", "escalated louder"}},
		{"a promise, an hour", ack, time.Hour, []string{
			"raised", "acknowledged", "lapsed", "skipped louder", "escalated l1", "escalated auto_dispatch", "escalated l3",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newDesk(t)
			k.event("b1", sos)
			if c.prep != nil {
				c.prep(k)
			}
			k.sleep(c.down)
			k.fire()
			k.wantKinds(c.want...)
			k.fire()
			k.wantKinds(c.want...)
		})
	}
}

func ack(k *desk) { k.must(Command{Action: ActionAcknowledge, Incident: k.one("b1").ID}) }

// TestLatenessIsEvidence: a step says how late its clocks fired.
func TestLatenessIsEvidence(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	k.sleep(16 * time.Second)
	k.fire()
	s, err := decodeStep(k.steps[len(k.steps)-1])
	if err != nil {
		t.Fatal(err)
	}
	want := firing{timer{k.one("b1").ID, "louder", t0 + 15_000}, 1000, false}
	if len(s.Fired) != 1 || s.Fired[0] != want {
		t.Errorf("fired %+v, want %+v", s.Fired, want)
	}
}

// TestASilentButton: P3 at once, P2 after four hours even when someone has taken it, recovered by itself, closed after 12 h.
func TestASilentButton(t *testing.T) {
	k := newDesk(t)
	k.silence("EB-OFFLINE", "b1", false)
	i := k.one("b1")
	if i.Priority != 3 || i.Class != "tech" || i.Person != "p1" {
		t.Fatalf("%+v", i)
	}
	k.pass(3 * time.Hour)
	k.must(Command{Action: ActionAcknowledge, Incident: i.ID})
	k.pass(time.Hour)
	if i = k.one("b1"); i.Priority != 2 || i.State != StateAcknowledged {
		t.Fatalf("after 4 h %+v", i)
	}
	k.silence("EB-OFFLINE", "b1", true)
	if i = k.one("b1"); i.State != StateRecovered || i.Active {
		t.Fatalf("heard again %+v", i)
	}
	k.pass(11 * time.Hour)
	k.silence("EB-OFFLINE", "b1", false)
	if i = k.one("b1"); i.State != StateNew || !i.Active || i.Occurrences != 2 {
		t.Fatalf("silent again %+v", i)
	}
	k.silence("EB-OFFLINE", "b1", true)
	k.pass(12 * time.Hour)
	if i = k.one("b1"); i.State != StateClosed {
		t.Errorf("12 h later %+v", i)
	}
	if len(k.book.conditions) != 0 {
		t.Errorf("conditions left: %v", k.book.conditions)
	}
}

// TestSilenceIsNeverFiledAway: what is resolved while it goes on comes back instead of closing itself, and no one can close it.
func TestSilenceIsNeverFiledAway(t *testing.T) {
	k := newDesk(t)
	k.silence("EB-OFFLINE", "b1", false)
	k.must(Command{Action: ActionAcknowledge, Incident: k.one("b1").ID})
	i := k.must(Command{Action: ActionResolve, Incident: k.one("b1").ID})
	if _, err := k.do(Command{Action: ActionClose, Incident: i.ID, Actor: "bob", IfVersion: &i.Version}); reason(err) != "state: still active" {
		t.Fatalf("close: %v", err)
	}
	k.pass(24 * time.Hour)
	if i = k.one("b1"); i.State != StateNew || i.ResolvedAt != 0 {
		t.Errorf("after a day %+v", i)
	}
	k.silence("EB-OFFLINE", "b1", true)
	if i = k.one("b1"); i.State != StateRecovered {
		t.Errorf("heard %+v", i)
	}
}

// TestAP1NeverEndsByItself, whatever time passes.
func TestAP1NeverEndsByItself(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	ack(k)
	k.must(Command{Action: ActionResolve, Incident: k.one("b1").ID, Text: "已上门,无碍", Disposition: "real_visited"})
	k.sleep(30 * 24 * time.Hour)
	k.fire()
	if i := k.one("b1"); i.State != StateResolved {
		t.Errorf("%+v", i)
	}
	k.wantKinds("raised", "acknowledged", "resolved", "escalated review")
}

// TestOldTechnicalClocksAreForReview: a clock below P1 that is more than a day late does not page anybody.
func TestOldTechnicalClocksAreForReview(t *testing.T) {
	k := newDesk(t)
	k.silence("SH-OFFLINE", "h1", false)
	k.sleep(48 * time.Hour)
	k.fire()
	k.wantKinds("raised", "skipped overdue", "skipped visit")
}

// TestClosedIncidentsAreForgottenAfterADay, with their keys and commands.
func TestClosedIncidentsAreForgottenAfterADay(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	ack(k)
	i := k.must(Command{Action: ActionResolve, Incident: k.one("b1").ID, Text: "已上门,无碍", Disposition: "real_visited"})
	k.must(Command{Action: ActionClose, Incident: i.ID, Actor: "bob", Key: "k1"})
	k.sleep(24*time.Hour - time.Second)
	k.event("b2", sos)
	if len(k.incidents("b1")) != 1 || len(k.book.commands) != 1 {
		t.Fatal("forgotten too early")
	}
	k.sleep(time.Second)
	k.event("b3", sos)
	if len(k.incidents("b1")) != 0 || len(k.book.commands) != 0 || len(k.book.trail[i.ID]) != 0 || len(k.book.keysOf) != 2 {
		t.Errorf("kept: %v %v", k.incidents("b1"), k.book.commands)
	}
}
