package alerts

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

// find gives findings of a rule to the desk.
func (k *desk) find(list ...finding) {
	k.tb.Helper()
	k.apply(k.d.decideFindings(k.book, k.world, list, k.now, k.book.cursors))
}

// TestFindingsTakeNoRoomFromCalls: the identity of a call is known however often the mains of the device have failed since.
func TestFindingsTakeNoRoomFromCalls(t *testing.T) {
	k := newDesk(t)
	const call = `{"type":"sos","boot":1,"seq":7}`
	k.event("b1", call)
	for n := range 2 * seenPerDevice {
		f := finding{Rule: "EB-POWER", Device: "b1", Up: true, At: k.now, Cause: fmt.Sprintf("telemetry:%d", n)}
		k.find(f)
		f.Up = false
		k.find(f)
	}
	k.event("b1", call)
	if k.last.duplicates == 0 {
		t.Error("a redelivery was counted")
	}
}

// TestAStuckSensorIsRaisedOnce: heat that never ends is told after every start. Its incident was closed long ago, and many other
// things have come since.
func TestAStuckSensorIsRaisedOnce(t *testing.T) {
	k := newDesk(t)
	stuck := finding{Rule: "WS-TEMP", Device: "s1", Up: true, At: k.now, Cause: "telemetry:1"}
	k.find(stuck)
	i := k.one("s1")
	k.must(Command{Action: ActionAcknowledge, Incident: i.ID})
	k.must(Command{Action: ActionResolve, Incident: i.ID, Disposition: "other", Text: "sensor stuck"})
	k.must(Command{Action: ActionClose, Incident: i.ID, Actor: "bob"})
	if c := k.book.conditions[conditionKey("WS-TEMP", "s1", "")]; c.Active || c.Latched || len(k.book.linked) != 0 {
		t.Errorf("%+v, linked %v", c, k.book.linked)
	}
	for n := range 2 * seenPerDevice {
		k.find(finding{Rule: "WS-TEMP-NEAR", Device: "s1", Up: true, At: k.now, Cause: fmt.Sprintf("telemetry:%d", n+2)})
	}
	k.sleep(8 * 24 * time.Hour)
	s, err := decodeSnapshot([]byte(canonical(t, k.book)))
	if err != nil {
		t.Fatal(err)
	}
	if k.book, err = s.thaw(); err != nil { // a restart
		t.Fatal(err)
	}
	before := len(k.all)
	k.find(stuck)
	if len(k.all) != before {
		t.Errorf("told again, it led to %s", k.all[before].Kind)
	}
	stuck.Cause = "telemetry:9999"
	k.find(stuck)
	if len(k.all) == before {
		t.Error("new heat led to nothing")
	}
}

// TestARegisteredAgainBeginsAnew: smoke of a detector that was deleted is not the state of the one that has its id now.
func TestARegisteredAgainBeginsAnew(t *testing.T) {
	inBubble(t, func(t *testing.T, p *plant) {
		detector := registry.Device{ID: "smoke", Kind: telemetry.Garage, Model: "zigbee-smoke"}
		smoke := func() {
			p.event.add(publish("zigbee2mqtt/smoke", "bridge", `{"smoke":true}`))
			synctest.Wait()
		}
		p.world.devices["smoke"] = detector
		p.start()
		smoke()
		smoke()
		if i := p.only("smoke"); i.Occurrences != 1 {
			t.Errorf("%d occurrences of a state", i.Occurrences)
		}
		p.edit(func(w *fakeWorld) { delete(w.devices, "smoke") })
		synctest.Wait()
		p.edit(func(w *fakeWorld) { w.devices["smoke"] = detector })
		synctest.Wait()
		smoke()
		if i := p.only("smoke"); i.Occurrences != 2 {
			t.Errorf("%d occurrences after another was registered", i.Occurrences)
		}
		if err := p.isFold(); err != nil {
			t.Error(err)
		}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	})
}
