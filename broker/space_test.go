package broker

import (
	"testing"
	"time"

	"watchhouse/journal"
)

// Who holds its share of life.db is refused alone, and is not thrown out for it: v5 is told by 0x97, v3, which cannot be told, gets no
// ack and is closed later. A life.db that takes from nobody still ends the connection at once.
func TestASenderOverItsShareOfLife(t *testing.T) {
	for qos := byte(1); qos <= 2; qos++ {
		h := start(t)
		h.shedMin, h.shedSpread = 200*time.Millisecond, 100*time.Millisecond
		h.event.set(journal.ErrSenderFull, nil)
		v5, v3 := h.join(hello{user: "btn-1", v5: true}), h.join(hello{user: "btn-2"})
		v5.publish(pub{topic: "wh/v1/btn-1/event", qos: qos, id: 1})
		v5.expectAck(typePuback+qos-1, 1, codeQuota)
		v3.publish(pub{topic: "wh/v1/btn-2/event", qos: qos, id: 1})
		if heads, _ := v3.expectClosed(); len(heads) != 0 {
			t.Errorf("v3 got % x", heads)
		}
		h.expectReasons("btn-2", reasonShed)
		h.event.set(nil, nil)
		v5.publish(pub{topic: "wh/v1/btn-1/event", qos: qos, id: 1})
		v5.expectAck(typePuback+qos-1, 1, 0)
		h.event.set(journal.ErrLaneFull, nil)
		v5.publish(pub{topic: "wh/v1/btn-1/event", qos: qos, id: 2})
		v5.expectClosed()
		h.expectReasons("btn-1", reasonJournal)
	}
}

// A status that life.db keeps without its bulk is kept for no later subscriber: after a restart there would be nothing to keep.
func TestAHugeStatusIsNotRetained(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1", v5: true})
	w.publish(pub{topic: "wh/v1/btn-1/status", payload: string(make([]byte, journal.MaxLifePayload+1)), qos: 1, id: 1, retain: true})
	w.expectAck(typePuback, 1, 0)
	if got := h.retained.matching("wh/v1/btn-1/status"); len(got) != 0 {
		t.Errorf("%d bytes are retained", len(got[0].payload))
	}
	if e := h.stored(journal.StateLane); e[len(e)-1].Cut != journal.MaxLifePayload+1 {
		t.Errorf("the journal says %d bytes", e[len(e)-1].Cut)
	}
}
