package stream_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"watchhouse/alerts"
	"watchhouse/dashboard/stream"
)

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
