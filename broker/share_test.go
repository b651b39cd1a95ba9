package broker

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// event is a press with an acknowledgement, as one packet.
func event(device string) []byte {
	w := wire{}
	return w.publishPacket(pub{topic: "wh/v1/" + device + "/event", payload: `{"type":"sos"}`, qos: 1, id: 1})
}

func status(device string) []byte {
	w := wire{}
	return w.publishPacket(pub{topic: "wh/v1/" + device + "/status", payload: `{"online":true}`, qos: 1, id: 1})
}

// admitted is what an account may have sent after so long: its burst and its rate, give or take a sign-in and what is in the hand of
// each connection.
func admitted(t *testing.T, what string, got int, rate int, after time.Duration, connections int) {
	t.Helper()
	want := burstSeconds*rate + int(after.Seconds()*float64(rate))
	if got < want-sessionUnits || got > want+connections {
		t.Errorf("%s: %d messages in %v, want %d", what, got, after, want)
	}
}

// A sender's burst passes at once, then it is read as fast as its share allows; nothing that was read is lost, and the log names it once.
func TestASenderIsSlowedToItsShare(t *testing.T) {
	for name, packetOf := range map[string]func(string) []byte{"event": event, "status": status} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(x *bubble) {
				lane := x.event
				if name == "status" {
					lane = x.state
				}
				began := time.Now()
				x.join(hello{user: "btn-1"}).flood(packetOf("btn-1"))
				synctest.Wait()
				if at := time.Since(began); at > 0 {
					t.Fatalf("the burst took %v", at)
				}
				if n := lane.count("btn-1"); n < 290 || n > 301 {
					t.Errorf("burst of %d, want 300", n)
				}
				pass(10 * time.Second)
				admitted(t, name, lane.count("btn-1"), 100, 10*time.Second, 1)
				if s := x.Stats(); s.Slowed == 0 || int(s.Acked) != lane.count("btn-1") {
					t.Errorf("%d rests, %d acknowledged of %d", s.Slowed, s.Acked, lane.count("btn-1"))
				}
				if n := strings.Count(x.log.String(), "beyond its share"); n != 1 || !strings.Contains(x.log.String(), "account=btn-1") {
					t.Errorf("%d lines about it: %s", n, x.log.String())
				}
			})
		})
	}
}

// Eight connections have no more than one, and coming back does not refill the share.
func TestConnectionsOfAnAccountShareOneBudget(t *testing.T) {
	inBubble(t, nil, func(x *bubble) {
		var all []*wire
		for i := range 8 {
			w := x.join(hello{user: "btn-1", id: fmt.Sprintf("btn-1~%d", i)})
			w.flood(event("btn-1"))
			all = append(all, w)
		}
		pass(5 * time.Second)
		admitted(t, "together", x.event.count("btn-1"), 100, 5*time.Second, len(all))
		for _, w := range all {
			_ = w.nc.Close()
		}
		pass(100 * time.Millisecond)
		before := x.event.count("btn-1")
		x.join(hello{user: "btn-1"}).flood(event("btn-1"))
		pass(time.Second)
		if n := x.event.count("btn-1") - before; n > 120 {
			t.Errorf("%d in the first second after coming back", n)
		}
	})
}

// A flood of calls slows neither the status on another connection, nor anybody else, nor telemetry.
func TestAFloodSlowsNothingElse(t *testing.T) {
	inBubble(t, nil, func(x *bubble) {
		x.join(hello{user: "btn-1"}).flood(event("btn-1"))
		beside, other := x.join(hello{user: "btn-1", id: "btn-1~beside"}), x.join(hello{user: "btn-2"})
		pass(time.Minute)
		began := time.Now()
		beside.publish(pub{topic: "wh/v1/btn-1/status", qos: 1, id: 7})
		beside.expectAck(typePuback, 7, 0)
		beside.publish(pub{topic: "wh/v1/btn-1/telemetry", qos: 1, id: 8})
		beside.expectAck(typePuback, 8, 0)
		other.publish(pub{topic: "wh/v1/btn-2/event", qos: 1, id: 9})
		other.expectAck(typePuback, 9, 0)
		if took := time.Since(began); took > 0 {
			t.Errorf("took %v", took)
		}
	})
}

// A gateway has more by the devices behind it, to a bound; a large message counts for several.
func TestSharesByDevicesBehindAndBySize(t *testing.T) {
	for _, c := range []struct{ behind, rate int }{{0, 100}, {20, 300}, {5000, 1000}} {
		if got := int(time.Second / DefaultLimits().allow(c.behind).interval); got != c.rate {
			t.Errorf("%d devices behind: %d a second, want %d", c.behind, got, c.rate)
		}
	}
	inBubble(t, nil, func(x *bubble) {
		large := (&wire{}).publishPacket(pub{topic: "wh/v1/btn-1/event", payload: strings.Repeat("x", 100_000), qos: 1, id: 1})
		x.join(hello{user: "btn-1"}).flood(large)
		pass(10 * time.Second)
		if n := x.event.count("btn-1"); n < 45 || n > 55 {
			t.Errorf("%d messages of 100 KB in ten seconds, want about 1300/25", n)
		}
	})
}

// Whatever else a client can repeat at full speed is measured out, too: pings, subscriptions, repeats of QoS 2, sign-ins.
func TestOtherWorkIsMeasuredOut(t *testing.T) {
	subscribe := packet(typeSubscribe<<4|2, append(lenText([]byte{0, 1}, "wh/v1/btn-1/command"), 1))
	again := (&wire{}).publishPacket(pub{topic: "wh/v1/btn-1/event", qos: 2, id: 1})
	for name, p := range map[string][]byte{"ping": {0xC0, 0}, "subscribe": subscribe, "repeat": again} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(x *bubble) {
				w := x.join(hello{user: "btn-1"})
				sent := 0
				go func() { _, _ = w.r.WriteTo(io.Discard) }()
				go func() {
					for ; ; sent++ {
						if _, err := w.nc.Write(p); err != nil {
							return
						}
					}
				}()
				pass(10 * time.Second)
				if n := sent; n < 1290 || n > 1310 {
					t.Errorf("%d packets read in ten seconds, want 1300", n)
				}
			})
		})
	}
	inBubble(t, nil, func(x *bubble) {
		n := 0
		for began := time.Now(); time.Since(began) < 10*time.Second; n++ {
			_ = x.join(hello{user: "btn-1"}).nc.Close()
			synctest.Wait()
		}
		if n > 1310/sessionUnits {
			t.Errorf("%d sign-ins in ten seconds", n)
		}
	})
}

// Ten accounts flood on all their connections; what a quiet device sends is in the next frame, and the frame is small.
func TestAQuietDeviceIsInTheNextFrame(t *testing.T) {
	inBubble(t, nil, func(x *bubble) {
		quiet := x.join(hello{user: "btn-2"})
		for i := range 10 {
			id := fmt.Sprintf("flood-%d", i)
			x.people.add(id, "emergency_button")
			x.join(hello{user: id}).flood(event(id))
		}
		x.event.frame()
		for range 2000 { // ten seconds of frames
			pass(5 * time.Millisecond)
			x.event.commit()
		}
		pass(5 * time.Millisecond)
		quiet.publish(pub{topic: "wh/v1/btn-2/event", qos: 1, id: 5})
		synctest.Wait()
		frame := x.event.commit()
		if !slices.Contains(frame, "btn-2") || len(frame) > 20 {
			t.Errorf("a frame of %d messages, the quiet device's in it: %v", len(frame), slices.Contains(frame, "btn-2"))
		}
		quiet.expectAck(typePuback, 5, 0)
	})
}

// Thousands of connections that end in one moment put their wills and records into the journal in turn, so that a call among them waits
// for few; after a while nobody is held up any more. The sockets are closed in turn as well.
func TestEndingsAreSpread(t *testing.T) {
	inBubble(t, func(c *Config) { c.MaxConnectRate = 1_000_000 }, func(x *bubble) {
		const many = 3000
		var all []*wire
		for i := range many {
			id := fmt.Sprintf("dev-%d", i)
			x.people.add(id, "safety_house")
			all = append(all, x.join(hello{user: id, will: &will{topic: "wh/v1/" + id + "/status", payload: []byte(`{"online":false}`)}}))
		}
		for _, w := range all {
			_ = w.nc.Close()
		}
		synctest.Wait()
		if n := x.Stats().Wills; n > connectBurst+1 {
			t.Errorf("%d wills in one moment", n)
		}
		pass(100 * time.Millisecond)
		if n := x.Stats().Wills; n < endingsPerSecond/10 || n > connectBurst+endingsPerSecond/10+1 {
			t.Errorf("%d wills after 100 ms", n)
		}
		pass(maxEndingWait)
		if s := x.Stats(); s.Wills != many || s.Connections != 0 {
			t.Errorf("%d wills, %d connections left", s.Wills, s.Connections)
		}
	})
}

// closes counts the sockets that were closed.
type closes struct {
	net.Conn
	n *atomic.Int64
}

func (c closes) Close() error {
	c.n.Add(1)
	return c.Conn.Close()
}

// What thousands of lost connections cost is spread as a whole: their sockets are closed in turn, like their records. Who comes back
// meanwhile takes no place in that queue.
func TestLostSocketsAreClosedInTurn(t *testing.T) {
	inBubble(t, func(c *Config) { c.MaxConnectRate = 1_000_000 }, func(x *bubble) {
		const many = 2000
		var closed atomic.Int64
		var all []*wire
		for i := range many {
			id := fmt.Sprintf("dev-%d", i)
			x.people.add(id, "safety_house")
			ours, theirs := net.Pipe()
			x.adopt(closes{theirs, &closed}, nil)
			w := &wire{t: t, nc: ours, r: bufio.NewReader(ours)}
			if code, _ := w.connect(hello{user: id}); code != 0 {
				t.Fatalf("CONNACK %#x", code)
			}
			all = append(all, w)
		}
		for _, w := range all {
			_ = w.nc.Close()
		}
		synctest.Wait()
		if n := closed.Load(); n > connectBurst+1 {
			t.Errorf("%d sockets closed in one moment", n)
		}
		began := time.Now()
		for i := range 10 {
			x.join(hello{user: fmt.Sprintf("dev-%d", many-1-i)})
		}
		if waited := time.Since(began); waited > time.Millisecond { // the pace of sign-ins
			t.Errorf("who came back waited %v for the end of the connection before", waited)
		}
		pass(maxEndingWait)
		if n := closed.Load(); n != many || x.Stats().Connections != 10 {
			t.Errorf("%d of %d sockets closed, %d connections", n, many, x.Stats().Connections)
		}
	})
}
