package alerts

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

const sos = `{"type":"sos","boot":1,"seq":1}`

// sosAt is a press with a clock.
func sosAt(ms int64) string { return fmt.Sprintf(`{"type":"sos","boot":1,"seq":1,"ts":%d}`, ms) }

// outcome is what became of a message.
type outcome struct {
	rule        string // "" = no incident
	class       Class
	occurrences int
	badges      []string
	letter      bool
}

// wireRules is what each message of DESIGN's rules of the wire becomes, to the incident.
var wireRules = []struct {
	name string
	send func(k *desk)
	dev  string
	want outcome
}{
	{"a press", func(k *desk) { k.event("b1", sos) }, "b1", outcome{"EB-SOS", "person", 1, nil, false}},
	{"a fall", func(k *desk) { k.event("b1", `{"type":"fall"}`) }, "b1", outcome{"EB-FALL", "person", 1, nil, false}},
	{"redelivered five times", func(k *desk) {
		for range 6 {
			k.event("b1", sos)
		}
	}, "b1", outcome{"EB-SOS", "person", 1, nil, false}},
	{"redelivered with seq and ts only", func(k *desk) {
		for range 5 {
			k.event("b1", fmt.Sprintf(`{"type":"sos","seq":4,"ts":%d}`, t0-5000))
		}
	}, "b1", outcome{"EB-SOS", "person", 1, nil, false}},
	{"the same press by two ways", func(k *desk) {
		k.event("b1", sos)
		k.receive(k.message("wh/v1/gw/child/b1/event", sos))
	}, "b1", outcome{"EB-SOS", "person", 1, nil, false}},
	{"without identity nothing is dropped", func(k *desk) {
		for range 3 {
			k.event("b1", `{"type":"sos"}`)
		}
	}, "b1", outcome{"EB-SOS", "person", 3, nil, false}},
	{"a second press within the minute", func(k *desk) {
		k.event("b1", sos)
		k.pass(30 * time.Second)
		k.event("b1", `{"type":"sos","boot":1,"seq":2}`)
	}, "b1", outcome{"EB-SOS", "person", 2, nil, false}},
	{"a second press after a minute", func(k *desk) {
		k.event("b1", sos)
		k.pass(time.Minute)
		k.event("b1", `{"type":"sos","boot":1,"seq":2}`)
	}, "b1", outcome{"EB-SOS", "person", 2, []string{"repeat"}, false}},
	{"a cancel is no press of the same identity", func(k *desk) {
		k.event("b1", `{"type":"cancel","boot":1,"seq":1}`)
		k.event("b1", sos)
	}, "b1", outcome{"EB-SOS", "person", 1, nil, false}},
	{"counters that began again are a new press", func(k *desk) {
		k.event("b1", sosAt(t0))
		k.pass(20 * time.Minute)
		k.event("b1", sosAt(t0+20*60_000))
	}, "b1", outcome{"EB-SOS", "person", 2, []string{"repeat"}, false}},
	{"nine minutes old", func(k *desk) { k.event("b1", sosAt(t0-9*60_000)) }, "b1", outcome{"EB-SOS", "person", 1, nil, false}},
	{"eleven minutes old", func(k *desk) { k.event("b1", sosAt(t0-11*60_000)) }, "b1", outcome{"EB-SOS", "person", 1, []string{"delayed"}, false}},
	{"a clock of 1970", func(k *desk) { k.event("b1", sosAt(86_400_000)) }, "b1", outcome{"EB-SOS", "person", 1, []string{"clock_fault"}, false}},
	{"a clock ten minutes ahead", func(k *desk) { k.event("b1", sosAt(t0+600_000)) }, "b1", outcome{"EB-SOS", "person", 1, []string{"clock_fault"}, false}},
	{"an absurd clock", func(k *desk) { k.event("b1", `{"type":"sos","ts":1e300}`) }, "b1", outcome{"EB-SOS", "person", 1, []string{"clock_fault"}, false}},
	{"an unknown type", func(k *desk) { k.event("b1", `{"type":"help"}`) }, "b1", outcome{"EB-UNREADABLE", "person", 1, []string{"unreadable"}, true}},
	{"a house's type", func(k *desk) { k.event("b1", `{"type":"panic"}`) }, "b1", outcome{"EB-UNREADABLE", "person", 1, []string{"unreadable"}, true}},
	{"garbage", func(k *desk) { k.event("b1", "\x00\xff\x13{{") }, "b1", outcome{"EB-UNREADABLE", "person", 1, []string{"unreadable"}, true}},
	{"an empty payload", func(k *desk) { k.event("b1", "") }, "b1", outcome{"EB-UNREADABLE", "person", 1, []string{"unreadable"}, true}},
	{"a press whose ts is text", func(k *desk) { k.event("b1", `{"type":"sos","ts":"noon"}`) }, "b1", outcome{"EB-SOS", "person", 1, []string{"clock_fault"}, true}},
	{"a press before a modem's Ctrl-Z", func(k *desk) { k.event("b1", "{\"type\":\"sos\"}\x1a") }, "b1", outcome{"EB-SOS", "person", 1, nil, false}},
	{"a fire beside what is no number", func(k *desk) { k.event("s1", `{"type":"smoke","density":NaN,"seq":1.5}`) }, "s1", outcome{"SH-FIRE", "fire", 1, nil, true}},
	{"unreadable calls are folded per device", func(k *desk) {
		k.event("b1", "")
		k.event("b1", "x")
		k.event("b1", `{"type":"help"}`)
	}, "b1", outcome{"EB-UNREADABLE", "person", 3, []string{"unreadable"}, true}},
	{"one person is one incident", func(k *desk) {
		k.event("b1", sos)
		k.event("b1", "garbage")
		k.event("b1", `{"type":"fall"}`)
	}, "b1", outcome{"EB-SOS", "person", 3, []string{"unreadable"}, false}},
	{"a bridge's retained copy", func(k *desk) {
		e := k.message("wh/v1/b1/event", sos)
		e.Device, e.Retain = "bridge", true
		k.receive(e)
	}, "b1", outcome{}},
	{"a bridge's live copy", func(k *desk) {
		e := k.message("wh/v1/b1/event", sos)
		e.Device = "bridge"
		k.receive(e)
	}, "b1", outcome{"EB-SOS", "person", 1, nil, false}},
	{"retained on its own connection", func(k *desk) {
		e := k.message("wh/v1/b1/event", sos)
		e.Retain = true
		k.receive(e)
	}, "b1", outcome{"EB-SOS", "person", 1, nil, false}},
	{"retained by its gateway", func(k *desk) {
		e := k.message("wh/v1/gw/child/b1/event", sos)
		e.Retain = true
		k.receive(e)
	}, "b1", outcome{"EB-SOS", "person", 1, nil, false}},
	{"a will raises nothing", func(k *desk) {
		e := k.message("wh/v1/b1/event", sos)
		e.Kind = journal.Will
		k.receive(e)
	}, "b1", outcome{}},
	{"an unknown child's call", func(k *desk) { k.receive(k.message("wh/v1/gw/child/x9/event", sos)) }, "x9", outcome{"EB-UNREG", "person", 1, []string{"unknown_place"}, false}},
	{"an unknown child's garbage", func(k *desk) { k.receive(k.message("wh/v1/gw/child/x9/event", "{")) }, "x9", outcome{"EB-UNREG", "person", 1, []string{"unknown_place"}, true}},
	{"an unknown child's check-in", func(k *desk) { k.receive(k.message("wh/v1/gw/child/x9/event", `{"type":"check_in"}`)) }, "x9", outcome{"EB-UNREG-OTHER", "tech", 1, []string{"unknown_place"}, false}},
	{"a test raises nothing", func(k *desk) { k.event("b1", `{"type":"test"}`) }, "b1", outcome{}},
	{"a cancel alone raises nothing", func(k *desk) { k.event("b1", `{"type":"cancel"}`) }, "b1", outcome{}},
	{"a cancel marks the open call", func(k *desk) {
		k.event("b1", sos)
		k.event("b1", `{"type":"cancel"}`)
	}, "b1", outcome{"EB-SOS", "person", 1, []string{"cancelled"}, false}},
	{"panic", func(k *desk) { k.event("h1", `{"type":"panic"}`) }, "h1", outcome{"SH-PANIC", "duress", 1, nil, false}},
	{"duress, late", func(k *desk) {
		k.event("h1", fmt.Sprintf(`{"type":"duress","ts":%d}`, t0-3_600_000))
	}, "h1", outcome{"SH-PANIC", "duress", 1, []string{"delayed"}, false}},
	{"panic redelivered", func(k *desk) {
		for range 5 {
			k.event("h1", `{"type":"panic","boot":0,"seq":0}`)
		}
	}, "h1", outcome{"SH-PANIC", "duress", 1, nil, false}},
	{"a house's garbage", func(k *desk) { k.event("h1", "{{") }, "h1", outcome{"SH-UNREADABLE", "duress", 1, []string{"unreadable"}, true}},
	{"a house's alarm in another word", func(k *desk) {
		k.event("h1", `{"type":"alarm"}`)
		k.event("h1", `{"type":"panic"}`)
	}, "h1", outcome{"SH-UNREADABLE", "duress", 2, []string{"unreadable"}, false}},
	{"fire in another word", func(k *desk) { k.event("g1", `{"type":"fire"}`) }, "g1", outcome{"FD-UNREADABLE", "fire", 1, []string{"unreadable"}, true}},
	{"a garage's garbage", func(k *desk) { k.event("g1", "\x00") }, "g1", outcome{"FD-UNREADABLE", "fire", 1, []string{"unreadable"}, true}},
	{"fire in a bin, in another word", func(k *desk) { k.event("s1", `{"type":"burning"}`) }, "s1", outcome{"FD-UNREADABLE", "fire", 1, []string{"unreadable"}, true}},
	{"a gateway's garbage is for the maintainer", func(k *desk) { k.event("gw", "{{") }, "gw", outcome{letter: true}},
	{"smoke anywhere", func(k *desk) { k.event("s1", `{"type":"smoke"}`) }, "s1", outcome{"SH-FIRE", "fire", 1, nil, false}},
	{"out of service is no reason", func(k *desk) {
		d := k.world.devices["b1"]
		d.OutOfService = true
		k.world.devices["b1"] = d
		k.event("b1", sos)
	}, "b1", outcome{"EB-SOS", "person", 1, nil, false}},
}

func TestRulesOfTheWire(t *testing.T) {
	for _, c := range wireRules {
		t.Run(c.name, func(t *testing.T) {
			k := newDesk(t)
			k.world.devices["g1"] = registry.Device{ID: "g1", Kind: telemetry.Garage, Area: "a1"}
			c.send(k)
			if (len(k.last.letters) > 0) != c.want.letter && c.want.rule != "EB-SOS" && c.want.occurrences < 2 {
				t.Errorf("dead letter %v, want %v", k.last.letters, c.want.letter)
			}
			if c.want.rule == "" {
				if n := len(k.incidents(c.dev)); n != 0 {
					t.Fatalf("%d incidents", n)
				}
				return
			}
			i := k.one(c.dev)
			if i.Rule != c.want.rule || i.Class != c.want.class || i.Occurrences != c.want.occurrences || !slices.Equal(i.Badges, c.want.badges) {
				t.Errorf("rule %s class %s occurrences %d badges %q", i.Rule, i.Class, i.Occurrences, i.Badges)
			}
			if wantP := Priority(1); i.Class != "tech" && i.Priority != wantP || i.State != StateNew || !i.Active {
				t.Errorf("priority %d state %s active %v", i.Priority, i.State, i.Active)
			}
		})
	}
}

// TestACallSaysWhereItCameFrom holds the fields a press fills in, and what the device is told.
func TestACallSaysWhereItCameFrom(t *testing.T) {
	k := newDesk(t)
	k.receive(k.message("wh/v1/gw/child/b1/event", fmt.Sprintf(`{"type":"sos","boot":1,"seq":9,"ts":%d}`, t0-2000)))
	i := k.one("b1")
	if i.Area != "a1" || i.Person != "p1" || i.RaisedAt != t0 || i.Version != 1 || i.Response == "" || !slices.Equal(i.Causes, []string{"event:1"}) {
		t.Errorf("%+v", i)
	}
	want := []Deadline{{"louder", t0 + 15_000}, {"l1", t0 + 30_000}, {"auto_dispatch", t0 + 60_000}, {"l3", t0 + 180_000}}
	if !slices.Equal(i.Deadlines, want) {
		t.Errorf("deadlines %v, want %v", i.Deadlines, want)
	}
	if len(k.book.outbox) != 1 {
		t.Fatalf("outbox %v", k.book.outbox)
	}
	for _, x := range k.book.outbox {
		if x.Device != "b1" || x.Gateway != "gw" || x.Type != "receipt" || x.Args["stage"] != "received" || x.Incident != i.ID {
			t.Errorf("%+v", x)
		}
	}
}

// TestCausesAreTheNewestTwenty bounds what one incident can grow to.
func TestCausesAreTheNewestTwenty(t *testing.T) {
	k := newDesk(t)
	for range 30 {
		k.event("b1", `{"type":"sos"}`)
	}
	i := k.one("b1")
	if len(i.Causes) != 20 || i.Causes[0] != "event:11" || i.Causes[19] != "event:30" || i.Occurrences != 30 {
		t.Errorf("occurrences %d causes %v", i.Occurrences, i.Causes)
	}
}

// TestAPressAfterTheEnd: a resolved call comes back as new, a closed one is followed by a linked one within ten minutes.
func TestAPressAfterTheEnd(t *testing.T) {
	done := func(k *desk) *Incident {
		k.event("b1", sos)
		i := k.must(Command{Action: ActionAcknowledge, Incident: k.one("b1").ID})
		return k.must(Command{Action: ActionResolve, Incident: i.ID, Text: "回拨误触", Disposition: "false_press"})
	}
	t.Run("resolved", func(t *testing.T) {
		k := newDesk(t)
		was := done(k)
		k.pass(5 * time.Second)
		k.event("b1", `{"type":"sos","boot":1,"seq":2}`)
		i := k.one("b1")
		if i.State != StateNew || i.Occurrences != 2 || i.ResolvedBy != "" || i.AcknowledgedBy != "" || i.Version <= was.Version || !i.Active {
			t.Errorf("%+v", i)
		}
		if due, ok := i.deadline("louder"); !ok || due != k.now+15_000 {
			t.Errorf("deadlines %v", i.Deadlines)
		}
	})
	for _, c := range []struct {
		after  time.Duration
		linked bool
	}{{10 * time.Minute, true}, {10*time.Minute + time.Second, false}} {
		t.Run("closed "+c.after.String()+" ago", func(t *testing.T) {
			k := newDesk(t)
			was := done(k)
			k.must(Command{Action: ActionClose, Incident: was.ID, Actor: "bob"})
			k.pass(c.after)
			k.event("b1", `{"type":"sos","boot":1,"seq":2}`)
			list := k.incidents("b1")
			if len(list) != 2 {
				t.Fatalf("%d incidents", len(list))
			}
			if i := list[1]; (i.Previous == was.ID) != c.linked || i.HasBadge(BadgeRecurrence) != c.linked || i.State != StateNew {
				t.Errorf("%+v", i)
			}
		})
	}
	t.Run("a redelivery after the end is still one", func(t *testing.T) {
		k := newDesk(t)
		was := done(k)
		k.must(Command{Action: ActionClose, Incident: was.ID, Actor: "bob"})
		k.pass(9 * time.Minute)
		k.event("b1", sos)
		if k.last.duplicates == 0 || len(k.incidents("b1")) != 1 {
			t.Errorf("verdict %+v", k.last)
		}
	})
}

// TestDeadLettersHoldNoPayload: the maintainer gets a reason, never the content.
func TestDeadLettersHoldNoPayload(t *testing.T) {
	k := newDesk(t)
	k.event("h1", `{"type":"secret words"}`)
	want := deadLetter{Message: "event:1", Device: "h1", Topic: "wh/v1/h1/event", Field: "type", Want: "an event type of the kind", Got: "another"}
	if len(k.last.letters) != 1 || k.last.letters[0] != want {
		t.Errorf("%+v", k.last.letters)
	}
}

// TestAnAckSettlesTheReceipt, but only from the device that was told.
func TestAnAckSettlesTheReceipt(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	id := sortedKeys(k.book.outbox)[0]
	ack := func(device string) {
		e := k.message("wh/v1/"+device+"/command/ack", fmt.Sprintf(`{"id":%q,"result":"accepted"}`, id))
		s, _ := k.d.decideAck(k.book, k.world, e, k.now, k.book.cursors)
		k.apply(s)
	}
	ack("b2")
	if len(k.book.outbox) != 1 {
		t.Fatal("another device's ack settled it")
	}
	ack("b1")
	if len(k.book.outbox) != 0 {
		t.Fatal("not settled")
	}
	k.event("b2", sos)
	k.sleep(receiptFor)
	k.event("b3", sos)
	if n := len(k.book.outbox); n != 1 {
		t.Errorf("%d pending, want the expired one gone", n)
	}
}

// TestTheRegistryDecidesThePlace: a device registered while its call is open stays one incident.
func TestTheRegistryDecidesThePlace(t *testing.T) {
	k := newDesk(t)
	k.receive(k.message("wh/v1/gw/child/x9/event", sos))
	d := k.world.devices["b1"]
	d.ID = "x9"
	k.world.devices["x9"] = d
	k.event("x9", `{"type":"sos","boot":1,"seq":2}`)
	if i := k.one("x9"); i.Occurrences != 2 || !i.HasBadge(BadgeUnknownPlace) {
		t.Errorf("%+v", i)
	}
	if k := telemetry.EmergencyButton; d.Kind != k {
		t.Fatalf("kind %s", d.Kind)
	}
}
