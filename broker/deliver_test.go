package broker

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"watchhouse/journal"
)

// A device gets its commands without subscribing; subscribing all the same does not double them.
func TestCommandReachesItsDevice(t *testing.T) {
	h := start(t)
	topic, payload := "wh/v1/btn-1/command", []byte(`{"id":"01J","type":"receipt"}`)
	if err := h.Publish(topic, payload); !errors.Is(err, ErrNotConnected) {
		t.Errorf("nobody is there: %v", err)
	}
	for _, v5 := range []bool{false, true} {
		for _, subscribes := range []bool{false, true} {
			w, other := h.join(hello{user: "btn-1", v5: v5}), h.join(hello{user: "btn-2"})
			if subscribes {
				w.subscribe(topic, 1, 1)
			}
			if err := h.Publish(topic, payload); err != nil {
				t.Fatal(err)
			}
			if d := w.delivery(); d.topic != topic || d.payload != string(payload) || d.qos != 1 || d.retain {
				t.Errorf("got %+v", d)
			}
			w.ping()
			other.ping()
		}
	}
	if n := h.fanout.n.Load(); n != 0 {
		t.Errorf("%d clients with only their own commands make every message fan out", n)
	}
}

func TestCommandOfAChildReachesItsGateway(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "gw-1", id: "gw-1~telemetry"})
	topic := "wh/v1/gw-1/child/elder-7/command"
	if err := h.Publish(topic, []byte("1")); err != nil {
		t.Fatal(err)
	}
	if d := w.delivery(); d.topic != topic {
		t.Errorf("got %+v", d)
	}
	primary := h.join(hello{user: "gw-1"})
	if err := h.Publish(topic, []byte("2")); err != nil {
		t.Fatal(err)
	}
	if d := primary.delivery(); d.payload != "2" {
		t.Errorf("got %+v", d)
	}
	w.ping()
}

func TestPublishToNonsenseIsAnError(t *testing.T) {
	h := start(t)
	if err := h.Publish("a/b", nil); err == nil || errors.Is(err, ErrNotConnected) {
		t.Errorf("got %v", err)
	}
}

// Subscribers get what was committed, not what was only received, with the QoS of the weaker side.
func TestFanOutComesAfterTheCommit(t *testing.T) {
	h := start(t)
	for granted := range byte(3) {
		eye := h.join(hello{user: "eye", v5: true})
		if code := eye.subscribe("wh/v1/+/event", granted, 1); code != granted {
			t.Fatalf("SUBACK %#x", code)
		}
		for qos := range byte(3) {
			w := h.join(hello{user: "btn-1"})
			h.event.hold()
			w.publish(pub{topic: "wh/v1/btn-1/event", payload: fmt.Sprint(qos), qos: qos, id: 1})
			eye.expectNothing(20 * time.Millisecond)
			h.event.open()
			d := eye.delivery()
			if d.payload != fmt.Sprint(qos) || d.qos != min(granted, qos) {
				t.Errorf("granted %d, sent %d: got %+v", granted, qos, d)
			}
			switch d.qos {
			case 1:
				eye.write(appendAck(nil, typePuback, d.id, 0))
			case 2:
				eye.write(appendAck(nil, typePubrec, d.id, 0))
				eye.expectAck(typePubrel, d.id, 0)
				eye.write(appendAck(nil, typePubcomp, d.id, 0))
			}
		}
		eye.ping()
		c := h.table.client("eye")
		if c.mu.Lock(); len(c.pub.open) != 0 {
			t.Errorf("ids %v are still open", c.pub.open)
		}
		c.mu.Unlock()
	}
}

// v5 properties travel with the message, subscription identifiers are added, aliases are not passed on.
func TestPropertiesArePassedOn(t *testing.T) {
	h := start(t)
	eye := h.join(hello{user: "eye", v5: true})
	eye.write(packet(typeSubscribe<<4|2, append(lenText([]byte{0, 1, 3, propSubscriptionID, 0x81, 0x01}, "wh/v1/#"), 0)))
	eye.expect(9)
	w := h.join(hello{user: "btn-1", v5: true})
	user := lenText(lenText([]byte{propUser}, "k"), "v")
	w.publish(pub{topic: "wh/v1/btn-1/event", props: append([]byte{propTopicAlias, 0, 1}, user...)})
	if d := eye.delivery(); !bytes.Equal(d.props, append(user, propSubscriptionID, 0x81, 0x01)) {
		t.Errorf("properties % x", d.props)
	}
}

func TestNoLocal(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "bridge", v5: true})
	w.write(packet(typeSubscribe<<4|2, append(lenText([]byte{0, 1, 0}, "zigbee2mqtt/#"), 4)))
	w.expect(9)
	w.publish(pub{topic: "zigbee2mqtt/a", qos: 1, id: 1})
	w.expectAck(typePuback, 1, 0)
	w.expectNothing(30 * time.Millisecond)
}

func TestSharedSubscriptionGetsEachMessageOnce(t *testing.T) {
	h := start(t)
	a, b := h.join(hello{user: "eye", id: "eye~a"}), h.join(hello{user: "eye", id: "eye~b"})
	for _, w := range []*wire{a, b} {
		w.subscribe("$share/g/wh/v1/#", 0, 1)
	}
	w := h.join(hello{user: "btn-1"})
	for id := range uint16(20) {
		w.publish(pub{topic: "wh/v1/btn-1/event", qos: 1, id: id + 1})
		w.expectAck(typePuback, id+1, 0)
	}
	n := 0
	for _, w := range []*wire{a, b} {
		for {
			if _, _, err := w.read(100 * time.Millisecond); err != nil {
				break
			}
			n++
		}
	}
	if n != 20 {
		t.Errorf("%d deliveries, want 20", n)
	}
}

// A subscriber that does not read loses messages; nobody waits for it, and memory is bounded.
func TestFanOutIsLossyToSlowSubscribers(t *testing.T) {
	h := start(t)
	slow := h.join(hello{user: "eye"})
	if err := slow.nc.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	slow.subscribe("wh/v1/#", 0, 1)
	w := h.join(hello{user: "btn-1"})
	payload := string(make([]byte, 16_000)) // larger ones are cut, for subscribers too
	for id := uint16(1); h.Stats().FanoutDrops == 0; id++ {
		if id > 20_000 {
			t.Fatal("nothing was dropped")
		}
		w.publish(pub{topic: "wh/v1/btn-1/event", payload: payload, qos: 1, id: id})
		w.expectAck(typePuback, id, 0)
	}
}

func TestUnsubscribeAndDisconnectEndTheFanOut(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "eye"})
	w.subscribe("wh/v1/#", 0, 1)
	if !h.fanout.wanted() {
		t.Error("not wanted after SUBSCRIBE")
	}
	w.write(packet(typeUnsub<<4|2, lenText([]byte{0, 2}, "wh/v1/#")))
	w.expect(11)
	if h.fanout.wanted() {
		t.Error("wanted after UNSUBSCRIBE")
	}
	w.subscribe("wh/v1/#", 0, 1)
	_ = w.nc.Close()
	eventually(t, "nobody wants messages", func() bool { return !h.fanout.wanted() })
}

// Subscriptions of a kept session are there after a reconnect, and gone after a clean start.
func TestSessionKeepsSubscriptions(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "eye", persist: true})
	w.subscribe("wh/v1/+/event", 0, 1)
	_ = w.nc.Close()
	h.expectReasons("eye", reasonClosed)
	for _, persist := range []bool{true, false} {
		w = h.dial()
		_, connack := w.connect(hello{user: "eye", persist: persist})
		if present := connack[0] == 1; present != persist {
			t.Errorf("session present %v, want %v", present, persist)
		}
		h.publishOne("btn-1", pub{topic: "wh/v1/btn-1/event", payload: "x"})
		if persist {
			w.delivery()
		} else {
			w.expectNothing(30 * time.Millisecond)
		}
	}
}

func TestSessionsOfAbsentClientsExpire(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "eye", persist: true})
	w.subscribe("wh/v1/#", 0, 1)
	_ = w.nc.Close()
	h.expectReasons("eye", reasonClosed)
	eventually(t, "the connection is gone", func() bool { return h.Stats().Connections == 0 })
	h.sweep(time.Now().Add(sessionLimit - time.Hour))
	if _, kept := h.lib.Clients.Get("eye"); !kept {
		t.Fatal("gone early")
	}
	h.sweep(time.Now().Add(sessionLimit + time.Hour))
	if _, kept := h.lib.Clients.Get("eye"); kept || h.fanout.wanted() || len(h.lib.Topics.Subscribers("wh/v1/x/event").Subscriptions) != 0 {
		t.Error("something of the session is left")
	}
}

func TestNoSysTopics(t *testing.T) {
	h := start(t)
	if n := len(h.lib.Topics.Messages("$SYS/#")) + h.lib.Topics.Retained.Len(); n != 0 {
		t.Errorf("%d topics of the library's own", n)
	}
	w := h.join(hello{user: "eye"})
	w.subscribe("wh/v1/#", 0, 1)
	w.expectNothing(30 * time.Millisecond)
}

// A right taken away ends deliveries of an old subscription.
func TestDeliveryIsCheckedToo(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "eye"})
	w.subscribe("wh/v1/#", 0, 1)
	h.publishOne("btn-1", pub{topic: "wh/v1/btn-1/event", payload: "before"})
	w.delivery()
	c := h.table.client("eye")
	c.who.Grants = nil
	h.people.revision.Add(1)
	h.publishOne("btn-1", pub{topic: "wh/v1/btn-1/event", payload: "after"})
	w.expectNothing(30 * time.Millisecond)
	if n := len(h.stored(journal.EventLane)); n != 2 {
		t.Errorf("%d stored", n)
	}
}
