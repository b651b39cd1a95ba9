package stream_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"watchhouse/alerts"
	"watchhouse/dashboard/stream"
	"watchhouse/dashboard/stream/streamtest"
)

func TestHelloOfAStrangerWaitsForASnapshot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		for i := range 5 {
			b.ledger.Raise(fmt.Sprint("i", i), 1)
		}
		synctest.Wait()
		c := b.open("anna")
		c.say(stream.ClientFrame{T: "hello", Tab: "t1"})
		w := c.next()
		if w.Resume != "snapshot" || w.Epoch != "k7" || w.Head != 5 || w.Build != "test" || w.User.Name != "anna" || w.User.Role != "operator" {
			t.Fatalf("welcome %+v", w)
		}
		b.ledger.Raise("i5", 1) // not for one who has no snapshot yet
		c.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: 5})
		c.last = 5
		if f := c.until("b"); f.F != 6 || f.R != 1 && f.R != 0 {
			t.Fatalf("batch %+v", f)
		}
	})
}

func TestHelloWithAKnownNumberReplaysTheRest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 1000)
		for i := range 600 {
			b.ledger.Raise(fmt.Sprint("i", i), 1)
		}
		synctest.Wait()
		c := b.open("anna")
		if w := c.hello(10); w.Resume != "ok" {
			t.Fatalf("welcome %+v", w)
		}
		for c.last < 600 {
			if f := c.until("b"); f.R != 1 {
				t.Fatalf("batch %d..%d is not marked as replayed", f.F, f.L)
			}
		}
		b.ledger.Raise("new", 1)
		if f := c.until("b"); f.R != 0 || f.E != "k7" {
			t.Fatalf("live batch %+v", f)
		}
		if n := b.ledger.Subscriptions(); n != 1 {
			t.Errorf("%d subscriptions are open after the replay, want the fan-out's", n)
		}
	})
}

func TestNumbersThatAreNotKeptOrNotYetNeedASnapshot(t *testing.T) {
	for _, tc := range []struct {
		name  string
		epoch string
		seq   uint64
	}{
		{"older than what is kept", "k7", 3},
		{"ahead of the ledger", "k7", 1000},
		{"of another ledger", "k8", 50},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := start(t, 50)
				for i := range 60 {
					b.ledger.Raise(fmt.Sprint("i", i), 1)
				}
				synctest.Wait()
				c := b.open("anna")
				c.hello(60)
				c.say(stream.ClientFrame{T: "resume", Epoch: tc.epoch, Seq: tc.seq})
				if f := c.until("resync"); !f.Snapshot {
					t.Fatalf("resync %+v, want a snapshot", f)
				}
				b.ledger.Raise("meanwhile", 1)
				c.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: 61})
				b.ledger.Raise("then", 1)
				c.last = 61
				c.reach(62)
			})
		})
	}
}

func TestUrgentLeavesAtOnceAndTakesAlongWhatWaits(t *testing.T) {
	for _, tc := range []struct {
		name string
		p    []alerts.Priority
		want time.Duration
	}{
		{"life", []alerts.Priority{1}, 0},
		{"lost protection", []alerts.Priority{2}, 0},
		{"others", []alerts.Priority{3, 4}, 50 * time.Millisecond},
		{"others before life", []alerts.Priority{4, 3, 1}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := start(t, 100)
				c := b.open("anna")
				c.hello(0)
				began := time.Now()
				var head uint64
				for i, p := range tc.p {
					head = b.ledger.Raise(fmt.Sprint("i", i), p)
				}
				c.reach(head)
				if took := time.Since(began); took != tc.want {
					t.Errorf("on the wire after %v, want %v", took, tc.want)
				}
			})
		})
	}
}

func TestOthersAreCoalesced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 1000)
		c := b.open("anna")
		c.hello(0)
		for i := range 40 { // one per ms: within one wait
			b.ledger.Raise(fmt.Sprint("i", i), 3)
			time.Sleep(time.Millisecond)
		}
		if f := c.until("b"); f.L != 40 {
			t.Errorf("first batch ends with %d, want all 40 in one", f.L)
		}
	})
}

func TestHeartbeatsComeEvenWhenBusy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100_000)
		c := b.open("anna")
		c.hello(0)
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
					b.ledger.Raise(fmt.Sprint("i", i), 1)
					b.hub.Devices([]stream.Update{{ID: "d", JSON: json.RawMessage(`{}`)}})
				}
			}
		}()
		before := time.Now()
		for range 6 {
			f := c.until("hb")
			if gap := time.Since(before); gap > 5100*time.Millisecond {
				t.Errorf("%v between two heartbeats", gap)
			}
			before = time.Now()
			if f.Head != c.last {
				t.Errorf("heartbeat names %d as the head, %d were sent before it", f.Head, c.last)
			}
		}
		close(stop)
		go c.closed() // keep reading: the producer's last frames must not block the writer
		<-done
		b.stop()
	})
}

func TestSnapshotAheadOfTheDispatchMakesNoDouble(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		// Three wait to be coalesced; the page's snapshot holds two of them already.
		b.ledger.Raise("a", 3)
		asOf := b.ledger.Raise("b", 3)
		b.ledger.Raise("c", 3)
		synctest.Wait()
		c.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: asOf})
		c.last = asOf
		c.reach(3)
	})
}

func TestSlowConsoleIsResyncedAndSlowsNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 10_000)
		slow, quick := b.open("anna"), b.open("bert")
		slow.hello(0)
		quick.hello(0)
		for i := range 3000 {
			head := b.ledger.Raise(fmt.Sprint("i", i), 1)
			began := time.Now()
			quick.reach(head)
			if took := time.Since(began); took > 0 {
				t.Fatalf("the quick console waited %v for number %d", took, head)
			}
		}
		if n := metric(t, b.metrics, "watchhouse_stream_resyncs_total"); n != 1 {
			t.Errorf("%v resyncs, want 1", n)
		}
		// It finds what was on the way, then the request to resume, and nothing that was queued.
		if f := slow.until("resync"); f.Snapshot {
			t.Fatal("a snapshot is asked for, though all is kept")
		}
		if slow.last > 1024 {
			t.Errorf("%d transitions waited for the slow console, more than the bound", slow.last)
		}
		slow.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: slow.last})
		slow.reach(3000)
	})
}

func TestConsoleThatNeverReadsIsGoneAfterTheWriteDeadline(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		b.ledger.Raise("a", 1)
		b.ledger.Raise("b", 1)
		time.Sleep(4900 * time.Millisecond)
		if n := metric(t, b.metrics, "watchhouse_stream_clients"); n != 1 {
			t.Fatalf("%v consoles before the deadline", n)
		}
		time.Sleep(6 * time.Second)
		if n := metric(t, b.metrics, "watchhouse_stream_clients"); n != 0 {
			t.Errorf("%v consoles after the deadline", n)
		}
	})
}

func TestConsoleWithoutASignOfLifeIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		c.conn.SetPingHandler(func(string) error { return nil }) // reads, but does not answer
		began := time.Now()
		c.closed()
		if took := time.Since(began); took != 40*time.Second {
			t.Errorf("gone after %v, want 40 s", took)
		}
	})
}

func TestConsoleThatAnswersPingsStays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		for began := time.Now(); time.Since(began) < 10*time.Minute; {
			c.until("hb")
		}
	})
}

func TestSocketWithoutHelloIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		began := time.Now()
		c.closed()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("gone after %v, want 10 s", took)
		}
	})
}

func TestFaultyFramesCloseTheSocket(t *testing.T) {
	for name, tc := range map[string]struct {
		kind int
		body string
		want int
	}{
		"no JSON":  {websocket.TextMessage, "{", websocket.CloseInvalidFramePayloadData},
		"no type":  {websocket.TextMessage, `{"seq":1}`, websocket.CloseInvalidFramePayloadData},
		"binary":   {websocket.BinaryMessage, `{"t":"hello"}`, websocket.ClosePolicyViolation},
		"too long": {websocket.TextMessage, fmt.Sprintf("%5000s", "{}"), websocket.CloseMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := start(t, 100)
				c := b.open("anna")
				c.hello(0)
				if err := c.conn.WriteMessage(tc.kind, []byte(tc.body)); err != nil {
					t.Fatal(err)
				}
				if code := c.closed(); code != tc.want {
					t.Errorf("closed with %d, want %d", code, tc.want)
				}
			})
		})
	}
}

func TestFramesOfANewerPageAreLetThrough(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		c.say(map[string]any{"t": "presence", "who": "me"})
		c.say(map[string]any{"t": "audio", "state": "ok", "volume": 3})
		b.ledger.Raise("a", 1)
		c.reach(1)
	})
}

func TestFloodOfFramesClosesTheSocket(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		code := make(chan int, 1)
		go func() { code <- c.closed() }()
		for range 201 {
			if c.conn.WriteJSON(stream.ClientFrame{T: "seen", Seq: 1}) != nil {
				break
			}
		}
		if got := <-code; got != websocket.ClosePolicyViolation {
			t.Errorf("closed with %d", got)
		}
	})
}

func TestEndedSessionClosesTheStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		b.hub.Recheck()
		b.ledger.Raise("still there", 1)
		c.reach(1)
		b.valid.Store(false)
		b.hub.Recheck()
		if code := c.closed(); code != stream.CloseSession {
			t.Errorf("closed with %d, want %d", code, stream.CloseSession)
		}
	})
}

func TestStopSaysGoingAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		code := make(chan int, 1)
		go func() { code <- c.closed() }()
		b.stop()
		if got := <-code; got != websocket.CloseGoingAway {
			t.Errorf("closed with %d", got)
		}
		if b.hub.Room() {
			t.Error("a stopped hub has room")
		}
		if n := b.ledger.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}

func TestNoMoreConsolesThanAllowed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		for range 10 {
			b.open("anna").hello(0)
		}
		if b.hub.Room() {
			t.Error("room for an eleventh")
		}
		if code := b.open("bert").closed(); code != websocket.CloseTryAgainLater {
			t.Errorf("closed with %d", code)
		}
	})
}

func TestFanOutSurvivesBeingCutOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 1000)
		c := b.open("anna")
		c.hello(0)
		b.ledger.Raise("a", 1)
		c.reach(1)
		b.ledger.Break(errors.New("no ledger"))
		b.ledger.CutAll()
		b.ledger.Raise("b", 1)
		time.Sleep(3 * time.Second)
		b.ledger.Break(nil)
		b.ledger.Raise("c", 1)
		c.reach(3)
	})
}

func TestFanOutThatLostThePastAsksForSnapshots(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 10)
		c := b.open("anna")
		c.hello(0)
		b.ledger.Break(errors.New("no ledger"))
		b.ledger.CutAll()
		for i := range 50 {
			b.ledger.Raise(fmt.Sprint("i", i), 1)
		}
		b.ledger.Break(nil)
		if f := c.until("resync"); !f.Snapshot {
			t.Error("no snapshot asked for")
		}
		c.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: 50})
		c.last = 50
		b.ledger.Raise("z", 1)
		c.reach(51)
	})
}

func TestReplayCutOffByTheEngineIsResumed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 10_000)
		for i := range 2000 {
			b.ledger.Raise(fmt.Sprint("i", i), 1)
		}
		synctest.Wait()
		c := b.open("anna")
		c.say(stream.ClientFrame{T: "hello", Epoch: "k7", Seq: 0})
		synctest.Wait() // the writer stands in its first write
		for b.ledger.Subscriptions() < 2 {
			c.until("welcome")
		}
		b.ledger.CutAll()
		for c.last < 2000 {
			f := c.next()
			switch f.T {
			case "b":
				if err := c.take(f); err != nil {
					t.Fatal(err)
				}
			case "resync":
				c.say(stream.ClientFrame{T: "resume", Epoch: "k7", Seq: c.last})
			}
		}
	})
}

func TestDevicesAreSharedLatestValueAndChunked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c, other := b.open("anna"), b.open("bert")
		c.hello(0)
		other.hello(0)
		var many []stream.Update
		for i := range 600 {
			many = append(many, device(i, 1))
		}
		b.hub.Devices(many)
		var sizes []int
		for range 3 {
			sizes = append(sizes, len(other.until("dev").Dev))
		}
		if fmt.Sprint(sizes) != "[256 256 88]" {
			t.Errorf("frames of %v states", sizes)
		}
		// c has not read: it keeps the newest of each.
		b.hub.Devices([]stream.Update{device(599, 2)})
		b.hub.Devices([]stream.Update{device(599, 3), device(598, 3)})
		synctest.Wait()
		newest := map[int]int{}
		for len(newest) < 600 || newest[599] != 3 || newest[598] != 3 {
			for _, raw := range c.until("dev").Dev {
				var d struct{ ID, V int }
				if err := json.Unmarshal(raw, &d); err != nil {
					t.Fatal(err)
				}
				if d.V < newest[d.ID] {
					t.Fatalf("device %d went back from %d to %d", d.ID, newest[d.ID], d.V)
				}
				if d.V == 2 {
					t.Fatal("a superseded state was sent")
				}
				newest[d.ID] = d.V
			}
		}
	})
}

func device(id, v int) stream.Update {
	return stream.Update{ID: fmt.Sprint(id), JSON: json.RawMessage(fmt.Sprintf(`{"id":%d,"v":%d}`, id, v))}
}

func TestAlertPassesManyDevices(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		var many []stream.Update
		for i := range 2560 {
			many = append(many, device(i, 1))
		}
		b.hub.Devices(many)
		synctest.Wait()
		b.ledger.Raise("a", 1)
		synctest.Wait()
		before := 0
		for f := c.next(); f.T != "b"; f = c.next() {
			before++
		}
		if before > 2 {
			t.Errorf("%d frames of devices went before the alert", before)
		}
	})
}

func TestResumingConsoleGetsAllDevices(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		b.mu.Lock()
		b.devices = []stream.Update{device(1, 7), device(2, 7)}
		b.mu.Unlock()
		c := b.open("anna")
		c.hello(0)
		if n := len(c.until("dev").Dev); n != 2 {
			t.Errorf("%d devices, want 2", n)
		}
	})
}

func TestRemovedDeviceMakesEveryConsoleTakeASnapshot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		b.hub.Resnapshot()
		if f := c.until("resync"); !f.Snapshot {
			t.Error("no snapshot asked for")
		}
	})
}

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
