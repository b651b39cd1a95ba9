package broker

import (
	"testing"

	"watchhouse/journal"
)

func TestPublishIsAckedAndStored(t *testing.T) {
	for _, v5 := range []bool{false, true} {
		for qos := range byte(3) {
			h := start(t)
			c := h.join(hello{user: "btn-1", v5: v5})
			c.publish(pub{topic: "wh/v1/btn-1/event", payload: `{"type":"sos"}`, qos: qos, id: 7})
			switch qos {
			case 1:
				c.expectAck(typePuback, 7, 0)
			case 2:
				c.expectAck(typePubrec, 7, 0)
				c.write([]byte{typePubrel<<4 | 2, 2, 0, 7})
				c.expectAck(typePubcomp, 7, 0)
			default:
				eventually(t, "QoS 0 is stored", func() bool { return len(h.stored(journal.EventLane)) == 1 })
			}
			list := h.stored(journal.EventLane)
			if len(list) != 1 || string(list[0].Payload) != `{"type":"sos"}` || list[0].Device != "btn-1" || list[0].QoS != qos {
				t.Fatalf("v5 %v qos %d: stored %+v", v5, qos, list)
			}
		}
	}
}
