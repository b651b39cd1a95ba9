package broker

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/journal"
)

// A disk that needs seconds for a commit is a slow answer: no connection is broken, no message refused, whatever the clients' protocol
// and keepalive.
func TestASlowDiskBreaksNoConnection(t *testing.T) {
	inBubble(t, nil, func(x *bubble) {
		x.event.frame()
		x.telemetry.frame()
		for i := range 50 {
			id := fmt.Sprintf("slow-%d", i)
			x.people.add(id, "safety_house")
			for _, channel := range []string{"telemetry", "event"} {
				w := x.join(hello{user: id, id: id + "~" + channel, keepalive: 1})
				w.flood(w.publishPacket(pub{topic: "wh/v1/" + id + "/" + channel, payload: "{}", qos: 1, id: 1}))
			}
		}
		for range 20 {
			pass(2500 * time.Millisecond)
			x.event.commit()
			x.telemetry.commit()
		}
		synctest.Wait()
		s := x.Stats()
		if s.Sessions != 100 || s.Shed != 0 || s.JournalFail != 0 {
			t.Errorf("%d of 100 sessions left, %d refused, %d broken", s.Sessions, s.Shed, s.JournalFail)
		}
		if want := uint64(50 * 20 * (telemetryWindow + 250)); s.Acked < want*9/10 {
			t.Errorf("%d acknowledged, want about %d", s.Acked, want)
		}
	})
}

// Calls that the lane has no room for at the moment are offered again; their senders wait and are not cut.
func TestABusyLaneBreaksNoConnection(t *testing.T) {
	h := start(t)
	h.event.set(errors.Join(journal.ErrLaneFull, journal.ErrBusy), nil)
	w := h.join(hello{user: "btn-1"})
	w.publish(pub{topic: "wh/v1/btn-1/event", qos: 1, id: 1})
	w.expectNothing(50 * time.Millisecond)
	h.event.set(nil, nil)
	w.expectAck(typePuback, 1, 0)
	if n := h.Stats().JournalFail; n != 0 {
		t.Errorf("%d connections closed", n)
	}
}

// What all connections have in flight on a life lane stays below what the journal takes, and who has nothing there is let in all the same.
func TestCallsInFlightFitTheLane(t *testing.T) {
	inBubble(t, func(c *Config) { c.Account.EventsPerSecond, c.Account.MaxEventsPerSecond = 1_000_000, 1_000_000 }, func(x *bubble) {
		x.event.frame()
		for i := range 200 {
			id := fmt.Sprintf("many-%d", i)
			x.people.add(id, "emergency_button")
			x.join(hello{user: id}).flood(event(id))
		}
		pass(time.Second)
		x.join(hello{user: "btn-1"}).publish(pub{topic: "wh/v1/btn-1/event", qos: 1, id: 1})
		synctest.Wait()
		if n := x.count.lanes[eventLane].messages.Load(); n > globalMessages+200*leastWindow || x.event.count("btn-1") != 1 {
			t.Errorf("%d in flight, the quiet one's among them: %d", n, x.event.count("btn-1"))
		}
		x.event.commit()
		pass(time.Second)
		if n := x.event.count("many-7"); n < 300 {
			t.Errorf("one has sent %d", n)
		}
	})
}
