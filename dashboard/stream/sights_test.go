package stream_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/alerts"
	"watchhouse/dashboard/stream"
	"watchhouse/dashboard/stream/streamtest"
)

func TestFirstSightIsKeptOnceAndMeasured(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		b.refuse = errors.New("disk full")
		c := b.open("anna")
		c.hello(0)
		b.ledger.Raise("a", 1)
		b.ledger.Raise("b", 1)
		c.reach(2)
		time.Sleep(80 * time.Millisecond)
		c.say(stream.ClientFrame{T: "seen", Seq: 1})
		c.say(stream.ClientFrame{T: "seen", Seq: 1})
		c.say(stream.ClientFrame{T: "seen", Seq: 99}) // never more than was sent
		synctest.Wait()
		go c.closed()
		time.Sleep(6 * time.Second)
		b.mu.Lock()
		if len(b.seen) != 0 {
			t.Error("kept what was refused")
		}
		b.refuse = nil
		b.mu.Unlock()
		time.Sleep(6 * time.Second)
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.seen) != 2 || b.seen[0].Incident != "a" || b.seen[0].Seq != 1 || b.seen[1].Incident != "b" || b.seen[0].Actor != "anna" {
			t.Errorf("kept %+v", b.seen)
		}
		if n := metric(t, b.metrics, "watchhouse_stream_seen_seconds"); n != 2 {
			t.Errorf("%v delays measured, want 2", n)
		}
	})
}

func TestSnapshotCountsAsSeenWithoutADelay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		b.ledger.Raise("open", 1)
		b.ledger.Raise("over", 1)
		done := streamtest.Incident("over", 1, alerts.StateClosed)
		head := b.ledger.Append(alerts.Transition{Kind: "closed", Actor: "carl", To: alerts.StateClosed, Incident: done})
		synctest.Wait()
		c := b.open("anna")
		c.say(stream.ClientFrame{T: "hello"})
		c.until("welcome")
		c.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: head})
		c.say(stream.ClientFrame{T: "seen", Seq: head})
		synctest.Wait()
		go c.closed()
		time.Sleep(6 * time.Second)
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.seen) != 1 || b.seen[0].Incident != "open" {
			t.Errorf("kept %+v, want the open one", b.seen)
		}
		if n := metric(t, b.metrics, "watchhouse_stream_seen_seconds"); n != 0 {
			t.Errorf("%v delays measured of what was not live", n)
		}
	})
}

func TestAudioStateIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c, d := b.open("anna"), b.open("bert")
		c.hello(0)
		d.hello(0)
		c.say(stream.ClientFrame{T: "audio", State: "blocked"})
		synctest.Wait()
		for state, want := range map[string]float64{"blocked": 1, "unknown": 1, "ok": 0, "muted": 0} {
			if n := metric(t, b.metrics, "watchhouse_stream_audio_clients/"+state); n != want {
				t.Errorf("%v consoles are %s, want %v", n, state, want)
			}
		}
	})
}
