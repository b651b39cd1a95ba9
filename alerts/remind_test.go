package alerts

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

func (k *desk) reminders() int {
	n := 0
	for _, x := range k.kinds() {
		if x == "escalated remind" {
			n++
		}
	}
	return n
}

// TestNobodyComes: when the ladder has ended a call goes on to remind, every minute, until somebody acknowledges; and again when
// that leads to nothing.
func TestNobodyComes(t *testing.T) {
	for name, send := range map[string]func(k *desk){
		"a call": func(k *desk) { k.event("b1", sos) },
		"a fire": func(k *desk) { k.event("b1", `{"type":"smoke"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			k := newDesk(t)
			send(k)
			k.pass(239 * time.Second)
			if n := k.reminders(); n != 0 {
				t.Fatalf("%d reminders during the ladder", n)
			}
			k.pass(time.Second + 4*time.Minute)
			if n := k.reminders(); n != 5 {
				t.Fatalf("%d reminders in the five minutes after it, want 5", n)
			}
			ack(k)
			k.pass(119 * time.Second)
			if n := k.reminders(); n != 5 {
				t.Fatalf("reminded of what has been acknowledged: %q", k.kinds())
			}
			k.pass(time.Second + 240*time.Second)
			if got := k.kinds(); !slices.Equal(got[len(got)-6:], []string{
				"lapsed", "escalated louder", "escalated l1", "escalated auto_dispatch", "escalated l3", "escalated remind",
			}) {
				t.Errorf("after a promise that was not kept: %q", got)
			}
		})
	}
}

// TestAPressDuringReminders starts the ladder again, and the reminders wait for its end.
func TestAPressDuringReminders(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	k.pass(5 * time.Minute)
	n := k.reminders()
	k.event("b1", `{"type":"sos","boot":1,"seq":2}`)
	k.pass(3 * time.Minute)
	if k.reminders() != n {
		t.Errorf("reminded beside the ladder: %q", k.kinds())
	}
	k.pass(time.Minute)
	if k.reminders() != n+1 {
		t.Errorf("no reminder after it: %q", k.kinds())
	}
}

// TestAfterADownHub there is one reminder, not one for each that was missed.
func TestAfterADownHub(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	k.pass(5 * time.Minute)
	before := len(k.all)
	k.sleep(10*time.Hour + 7*time.Second)
	k.fire()
	if got := k.kinds()[before:]; !slices.Equal(got, []string{"escalated remind"}) {
		t.Fatalf("%q", got)
	}
	if due, ok := k.one("b1").deadline(clockRemind); !ok || due <= k.now || due > k.now+slower*lifeRemind.Milliseconds() {
		t.Errorf("the next is due at %d, now %d", due, k.now)
	}
}

// TestAWeekOfReminders: a call that nobody has touched for a week still has a clock, and has not filled the ledger.
func TestAWeekOfReminders(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	for end := k.now + 7*24*time.Hour.Milliseconds(); k.now < end; {
		i := k.one("b1")
		if len(i.Deadlines) == 0 {
			t.Fatalf("no clock after %s", time.Duration(k.now-t0)*time.Millisecond)
		}
		k.now = max(k.now, i.Deadlines[0].DueAt)
		k.fire()
	}
	size := 0
	for _, s := range k.steps {
		size += len(s)
	}
	if n := k.reminders(); n > 400 || size > 1<<20 {
		t.Errorf("%d reminders, %d bytes", n, size)
	}
}

// TestOnlyPriority1IsRemindedOf: a file may make it sooner, not later, and for nothing else.
func TestOnlyPriority1IsRemindedOf(t *testing.T) {
	for line, fault := range map[string]bool{"remind: 20s": false, "remind: 61s": true, "": false} {
		text := replaced(t, "    remind: 60s\n", "    "+line+"\n")
		if _, err := ParseRules(RuleSource{"r", text}); (err != nil) != fault {
			t.Errorf("%q: %v", line, err)
		}
	}
	if _, err := ParseRules(RuleSource{"r", replaced(t, "    progress: 15m\n", "    progress: 15m\n    remind: 60s\n")}); err == nil {
		t.Error("priority 2 with reminders was taken")
	}
}

// replaced is the shipped file with one place changed.
func replaced(t *testing.T, from, to string) []byte {
	t.Helper()
	if !bytes.Contains(shipped, []byte(from)) {
		t.Fatalf("%q is not in the shipped file", from)
	}
	return bytes.Replace(shipped, []byte(from), []byte(to), 1)
}
