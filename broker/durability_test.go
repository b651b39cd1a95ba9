package broker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"watchhouse/journal"
)

var errDisk = errors.New("disk on fire")

// An ack never leaves before the commit is reported, whatever else the connection sends meanwhile.
func TestAckWaitsForCommit(t *testing.T) {
	for qos := byte(1); qos <= 2; qos++ {
		h := start(t)
		w := h.join(hello{user: "btn-1"})
		h.event.hold()
		w.publish(pub{topic: "wh/v1/btn-1/event", qos: qos, id: 5})
		w.ping()
		w.expectNothing(50 * time.Millisecond)
		h.event.open()
		w.expectAck(typePuback+qos-1, 5, 0)
	}
}

// Twenty messages do not take twenty commits' time: the reader goes on while the journal works.
func TestPublishesArePipelined(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1"})
	h.event.hold()
	for id := range uint16(20) {
		w.publish(pub{topic: "wh/v1/btn-1/event", qos: 1, id: id + 1})
	}
	eventually(t, "all twenty are in the journal's hands", func() bool { return h.event.waiting() == 20 })
	h.event.open()
	for id := range uint16(20) {
		w.expectAck(typePuback, id+1, 0)
	}
}

// Acks keep the order of a lane; the lanes do not wait for each other.
func TestAcksAreInOrderPerLane(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", v5: true})
	h.telemetry.hold()
	for id := uint16(1); id <= 3; id++ {
		w.publish(pub{topic: "wh/v1/btn-1/telemetry", qos: 1, id: id})
	}
	w.publish(pub{topic: "wh/v1/btn-1/event", qos: 1, id: 4})
	w.publish(pub{topic: "wh/v1/btn-1/status", qos: 1, id: 5})
	got := map[uint16]bool{}
	for range 2 {
		_, body := w.expect(typePuback)
		got[binary.BigEndian.Uint16(body)] = true
	}
	if !got[4] || !got[5] {
		t.Errorf("acked %v before telemetry", got)
	}
	h.telemetry.open()
	for id := uint16(1); id <= 3; id++ {
		w.expectAck(typePuback, id, 0)
	}
}

// A refusal does not overtake the acks of what came before it.
func TestRefusalKeepsItsPlace(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", v5: true})
	h.telemetry.hold()
	w.publish(pub{topic: "wh/v1/btn-1/telemetry", qos: 1, id: 1})
	eventually(t, "the first is in the journal", func() bool { return h.telemetry.waiting() == 1 })
	h.telemetry.set(errDisk, nil)
	w.publish(pub{topic: "wh/v1/btn-1/telemetry", qos: 1, id: 2})
	w.expectNothing(50 * time.Millisecond)
	h.telemetry.open()
	w.expectAck(typePuback, 1, 0)
	w.expectAck(typePuback, 2, codeQuota)
}

// Life not taking a message, at once or at the commit: no ack, the connection closes, and nothing else is told.
func TestLifeFailureClosesWithoutAck(t *testing.T) {
	h := start(t)
	other := h.join(hello{user: "btn-2"})
	for _, lane := range []string{"event", "status", "command/ack"} {
		for _, v5 := range []bool{false, true} {
			for qos := range byte(3) {
				for name, at := range map[string][2]error{"submit": {errDisk, nil}, "commit": {nil, errDisk}} {
					t.Run(fmt.Sprintf("%s/v5=%v/qos=%d/%s", lane, v5, qos, name), func(t *testing.T) {
						w := h.join(hello{user: "btn-1", v5: v5})
						before := h.Stats().JournalFail
						h.event.set(at[0], at[1])
						h.state.set(at[0], at[1])
						w.publish(pub{topic: "wh/v1/btn-1/" + lane, qos: qos, id: 3})
						if heads, _ := w.expectClosed(); len(heads) != 0 {
							t.Errorf("got % x before the end", heads)
						}
						other.ping()
						if h.Stats().JournalFail == before {
							t.Error("not counted")
						}
						eventually(t, "the connection is gone", func() bool { return h.Stats().Connections == 1 })
						h.event.set(nil, nil)
						h.state.set(nil, nil)
					})
				}
			}
		}
	}
}

func TestSignInWithoutLifeIsRefused(t *testing.T) {
	h := start(t)
	h.state.set(errDisk, nil)
	defer h.state.set(nil, nil)
	for v5, want := range map[bool]byte{false: 3, true: 0x88} {
		if code, _ := h.dial().connect(hello{user: "btn-1", v5: v5}); code != want {
			t.Errorf("v5 %v: CONNACK %#x, want %#x", v5, code, want)
		}
	}
}

// After life has failed a message the client sends it again: then it is stored.
func TestQoS2IsTakenAgainAfterFailure(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", persist: true})
	h.event.set(nil, errDisk)
	w.publish(pub{topic: "wh/v1/btn-1/event", qos: 2, id: 3})
	w.expectClosed()
	h.event.set(nil, nil)
	w = h.join(hello{user: "btn-1", persist: true})
	w.publish(pub{topic: "wh/v1/btn-1/event", qos: 2, id: 3, dup: true})
	w.expectAck(typePubrec, 3, 0)
}

// A repeated QoS 2 PUBLISH is answered and not stored again: before the commit, after it, and over a reconnect.
func TestQoS2RedeliveryIsNotDoubled(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", persist: true})
	p := pub{topic: "wh/v1/btn-1/event", qos: 2, id: 3}
	h.event.hold()
	w.publish(p)
	p.dup = true
	w.publish(p)
	w.ping()
	h.event.open()
	w.expectAck(typePubrec, 3, 0)
	w.publish(p)
	w.expectAck(typePubrec, 3, 0)
	w = h.join(hello{user: "btn-1", persist: true})
	w.publish(p)
	w.expectAck(typePubrec, 3, 0)
	for range 2 {
		w.write(appendAck(nil, typePubrel, 3, 0))
		w.expectAck(typePubcomp, 3, 0)
	}
	if n := len(h.stored(journal.EventLane)); n != 1 {
		t.Errorf("stored %d times", n)
	}
	p.dup = false
	w.publish(p)
	w.expectAck(typePubrec, 3, 0)
	if n := len(h.stored(journal.EventLane)); n != 2 {
		t.Errorf("%d stored after the id was used again, want 2", n)
	}
}

// A QoS 2 message that commits after its client came back is acked on the new connection.
func TestQoS2AckGoesToTheSuccessor(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", persist: true})
	h.event.hold()
	w.publish(pub{topic: "wh/v1/btn-1/event", qos: 2, id: 3})
	eventually(t, "it is in the journal's hands", func() bool { return h.event.waiting() == 1 })
	w = h.join(hello{user: "btn-1", persist: true})
	w.publish(pub{topic: "wh/v1/btn-1/event", qos: 2, id: 3, dup: true})
	w.ping()
	h.event.open()
	w.expectAck(typePubrec, 3, 0)
	if n := len(h.stored(journal.EventLane)); n != 1 {
		t.Errorf("stored %d times", n)
	}
}

func TestUnknownPubrelIsAnswered(t *testing.T) {
	h := start(t)
	for v5, code := range map[bool]byte{false: 0, true: codeIDNotFound} {
		w := h.join(hello{user: "btn-1", v5: v5})
		w.write(appendAck(nil, typePubrel, 77, 0))
		w.expectAck(typePubcomp, 77, code)
	}
}

// SIGKILL at any moment under load: everything that was acknowledged is in the journal afterwards.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	acked := map[string]map[int]bool{}
	for round := range 4 {
		c := spawn(t, dir)
		type result struct {
			id  string
			got []int
		}
		results := make(chan result)
		for i := range 4 {
			id := "bench-" + strconv.Itoa(i)
			w := dial(t, c.addr)
			w.connect(hello{user: id})
			go func() { results <- result{id, hammer(w, id, round*1_000_000)} }()
		}
		time.Sleep(time.Duration(50+round*30) * time.Millisecond) // the load; the kill comes at another moment each time
		c.kill()
		for range 4 {
			r := <-results
			if acked[r.id] == nil {
				acked[r.id] = map[int]bool{}
			}
			for _, seq := range r.got {
				acked[r.id][seq] = true
			}
		}
	}
	total := 0
	for _, seqs := range acked {
		total += len(seqs)
	}
	if total == 0 {
		t.Fatal("nothing was acknowledged: the test proves nothing")
	}
	h := open(t, dir, nil)
	for _, lane := range []journal.LaneName{journal.EventLane, journal.TelemetryLane} {
		for _, e := range h.stored(lane) {
			var body struct{ Seq int }
			if err := json.Unmarshal(e.Payload, &body); err != nil {
				t.Fatal(err)
			}
			delete(acked[e.Device], body.Seq)
		}
	}
	for id, lost := range acked {
		if len(lost) > 0 {
			t.Errorf("%s: %d acknowledged messages are lost", id, len(lost))
		}
	}
	t.Logf("%d acknowledged over 4 kills", total)
}

// hammer publishes events and telemetry until the connection ends and gives the numbers acked.
func hammer(w *wire, id string, from int) (acked []int) {
	go func() {
		for n := 0; ; n++ {
			channel := [2]string{"event", "telemetry"}[n%2]
			p := pub{topic: "wh/v1/" + id + "/" + channel, payload: fmt.Sprintf(`{"seq":%d}`, from+n), qos: 1, id: uint16(n%60_000 + 1)}
			if _, err := w.nc.Write(w.publishPacket(p)); err != nil {
				return
			}
		}
	}()
	wraps, last := map[uint16]int{}, make([]byte, 4)
	for {
		if _, err := io.ReadFull(w.r, last); err != nil {
			return acked
		}
		packetID := binary.BigEndian.Uint16(last[2:])
		acked = append(acked, from+wraps[packetID]*60_000+int(packetID)-1)
		wraps[packetID]++
	}
}
