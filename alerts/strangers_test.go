package alerts

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// child receives the call of a device that nobody has registered, behind the gateway gw.
func (k *desk) child(id string) {
	k.tb.Helper()
	k.receive(k.message("wh/v1/gw/child/"+id+"/event", `{"type":"sos","boot":1,"seq":1}`))
}

// many is the open incident that stands for many strangers of who brought them.
func (k *desk) many(via string) *Incident {
	k.tb.Helper()
	var found *Incident
	for _, i := range k.incidents(via) {
		if i.Strangers != nil && i.Open() {
			if found != nil {
				k.tb.Fatalf("two incidents of many: %s and %s", found.ID, i.ID)
			}
			found = i
		}
	}
	if found == nil {
		k.tb.Fatalf("no incident of many among %d", len(k.book.incidents))
	}
	return found
}

// TestAGatewayThatInventsChildren: five have cards of their own, the others are one incident with a list; every call is counted,
// and neither memory nor the snapshot grows with them.
func TestAGatewayThatInventsChildren(t *testing.T) {
	k := newDesk(t)
	const invented = 3000
	for n := range invented {
		k.now += 5
		k.child(fmt.Sprintf("x%d", n))
	}
	if n := len(k.book.incidents); n != strangersAlone+1 {
		t.Fatalf("%d incidents, want five cards and one of many", n)
	}
	i := k.many("gw")
	if i.Rule != "EB-UNREG" || i.Priority != 1 || i.Area != "a1" || i.Via != "gw" || !i.HasBadge(BadgeUnknownPlace) || len(i.Deadlines) == 0 {
		t.Errorf("%+v", i)
	}
	if s := i.Strangers; i.Occurrences != invented-strangersAlone || s.Count != i.Occurrences || len(s.IDs) != strangersListed || s.IDs[0] != "x5" {
		t.Errorf("%d calls, %d strangers: %q", i.Occurrences, s.Count, s.IDs)
	}
	if n := len(canonical(t, k.book)); n > 128<<10 {
		t.Errorf("a snapshot of %d bytes", n)
	}
	if n := len(k.book.seen); n > 2 {
		t.Errorf("identities of %d devices are remembered", n)
	}
	if n := len(k.book.outbox); n > strangersAlone+strangersListed {
		t.Errorf("%d receipts are waiting", n)
	}
	k.child("x2999")
	if k.last.duplicates == 0 {
		t.Error("a redelivery among many was counted")
	}
}

// TestAStrangerCountsOnce however often it presses, listed or not, and over a restart.
func TestAStrangerCountsOnce(t *testing.T) {
	k := newDesk(t)
	for n := range 40 {
		k.child(fmt.Sprintf("x%d", n))
	}
	restart(t, k)
	for n := range 40 {
		k.receive(k.message(fmt.Sprintf("wh/v1/gw/child/x%d/event", n), `{"type":"sos","boot":1,"seq":2}`))
	}
	i := k.many("gw")
	if i.Strangers.Count != 35 || i.Occurrences != 70 {
		t.Errorf("%d strangers, %d calls", i.Strangers.Count, i.Occurrences)
	}
	for n := range strangersAlone {
		if own := k.one(fmt.Sprintf("x%d", n)); own.Occurrences != 2 || own.Strangers != nil {
			t.Errorf("card %+v", own)
		}
	}
}

func restart(t *testing.T, k *desk) {
	t.Helper()
	for _, b := range []**book{&k.book, &k.other} {
		s, err := decodeSnapshot([]byte(canonical(t, *b)))
		if err != nil {
			t.Fatal(err)
		}
		if *b, err = s.thaw(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStrangersOneByOne have cards of their own: five in ten minutes are not too many, nor are those of different gateways.
func TestStrangersOneByOne(t *testing.T) {
	k := newDesk(t)
	for n := range 12 {
		k.child(fmt.Sprintf("x%d", n))
		k.pass(2 * time.Minute)
	}
	for n := range strangersAlone {
		e := k.message("wh/v1/b1/event", sos)
		e.Device, e.Topic = "bridge", fmt.Sprintf("zigbee2mqtt/stranger %d", n)
		e.Payload = []byte(`{"action":"emergency"}`)
		k.receive(e)
	}
	if n := len(k.book.incidents); n != 12+strangersAlone {
		t.Errorf("%d incidents", n)
	}
}

// TestStrangersBehindABridge, whatever it names: addresses of a profile, long ones too, or gateways that it invents.
func TestStrangersBehindABridge(t *testing.T) {
	for name, topic := range map[string]string{
		"addresses":      "zigbee2mqtt/stranger %d",
		"long addresses": "zigbee2mqtt/%d" + strings.Repeat("x", 60_000),
		"gateways":       "wh/v1/gw-%d/child/x/event",
	} {
		t.Run(name, func(t *testing.T) {
			k := newDesk(t)
			for n := range 50 {
				e := k.message("wh/v1/b1/event", `{"action":"emergency","type":"sos"}`)
				e.Device, e.Topic = "bridge", fmt.Sprintf(topic, n)
				k.receive(e)
			}
			if name == "gateways" { // of one child: its card is its own
				if n := k.one("x").Occurrences; n != 50 {
					t.Errorf("%d calls", n)
				}
				return
			}
			if i := k.many("bridge"); i.Occurrences != 45 || i.Strangers.Count != 45 || len(k.book.incidents) != 6 {
				t.Errorf("%d calls of %d in %d incidents", i.Occurrences, i.Strangers.Count, len(k.book.incidents))
			}
			if n := len(canonical(t, k.book)); n > 64<<10 {
				t.Errorf("a snapshot of %d bytes", n)
			}
		})
	}
}

// TestAFurtherStrangerAfterTheEnd is a new incident: at once one of many, and much later a card of its own.
func TestAFurtherStrangerAfterTheEnd(t *testing.T) {
	closed := func(t *testing.T) (*desk, *Incident) {
		k := newDesk(t)
		for n := range 10 {
			k.child(fmt.Sprintf("x%d", n))
		}
		i := k.many("gw")
		k.must(Command{Action: ActionAcknowledge, Incident: i.ID})
		k.must(Command{Action: ActionResolve, Incident: i.ID, Disposition: "device_fault", Text: "gateway switched off"})
		return k, k.must(Command{Action: ActionClose, Incident: i.ID, Actor: "bob"})
	}
	k, was := closed(t)
	k.child("late")
	if i := k.many("gw"); i.ID == was.ID || i.Previous != was.ID || i.Strangers.Count != 1 || i.Occurrences != 1 || i.State != StateNew {
		t.Errorf("%+v", i)
	}
	k, _ = closed(t)
	k.sleep(strangersWithin + time.Second)
	k.child("later")
	if i := k.one("later"); i.Strangers != nil || i.State != StateNew {
		t.Errorf("%+v", i)
	}
}

// TestOtherStrangersAreGatheredToo: what is no call makes an incident of many of its own, which is no emergency.
func TestOtherStrangersAreGatheredToo(t *testing.T) {
	k := newDesk(t)
	for n := range 50 {
		k.receive(k.message(fmt.Sprintf("wh/v1/gw/child/x%d/event", n), `{"type":"check_in"}`))
	}
	if i := k.many("gw"); i.Rule != "EB-UNREG-OTHER" || i.Priority != 3 || i.Strangers.Count != 45 {
		t.Errorf("%+v", i)
	}
}
