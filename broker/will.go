package broker

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"watchhouse/journal"
)

// will is a client's last word. The library never sees it: there it would pass neither the access rules nor the journal, and a
// shutdown of the hub would say that every device had died.
type will struct {
	topic   string
	payload []byte
	props   []byte // v5, as they are handed on
	qos     byte
	retain  bool
	delay   time.Duration
}

// willOf takes the will out of a CONNECT; ok is false when it may not be where it wants to be.
func (b *Broker) willOf(c *conn, pk packets.Packet) (w *will, ok bool) {
	if !pk.Connect.WillFlag {
		return nil, true
	}
	switch topic := pk.Connect.WillTopic; {
	case strings.HasPrefix(topic, "wh/") && !(isStatus(topic) && b.directory.MayPublish(c.who, topic)):
		return nil, false
	case len(pk.Connect.WillPayload) == 0 || !b.willCounts(c, topic):
		b.log.Debug("will dropped, the connection stands", "device", c.who.ID)
		return nil, true
	}
	delay := pk.Connect.WillProperties.WillDelayInterval
	if !pk.Properties.SessionExpiryIntervalFlag {
		delay = 0 // the session ends with the connection, and the will does not outlive it
	}
	return &will{
		topic:   strings.Clone(pk.Connect.WillTopic),
		payload: bytes.Clone(pk.Connect.WillPayload),
		props:   willProperties(pk.Connect.WillProperties),
		qos:     pk.Connect.WillQos,
		retain:  pk.Connect.WillRetain,
		delay:   time.Duration(min(delay, pk.Properties.SessionExpiryInterval)) * time.Second,
	}, true
}

// willCounts: of wh/v1 only status takes wills. A bridge may have one among its own topics, where nothing but its absence is read from
// it (zigbee2mqtt/bridge/state). Any other will is of no use here and no reason to keep its client out: other firmware's and other
// brokers' habits ($SYS/broker/connection/…/state) must not cost a call.
func (b *Broker) willCounts(c *conn, topic string) bool {
	return (c.who.Kind == "" || isStatus(topic)) && validTopic([]byte(topic)) && b.directory.MayPublish(c.who, topic)
}

// willProperties gives a v5 will's properties as those of the message that it becomes: all but the delay.
func willProperties(p packets.Properties) []byte {
	p.WillDelayInterval = 0
	var out bytes.Buffer
	p.Encode(packets.Publish, packets.Mods{AllowResponseInfo: true}, &out, 0)
	in := cursor{rest: out.Bytes()}
	in.varint()
	return in.rest
}

// wills are those that wait for their delay, by client id.
type wills struct {
	mu      sync.Mutex
	waiting map[string]*time.Timer
	shut    bool
}

// publishWill journals a will, now or after its delay. The state lane takes it like any status: what fails here is seen by the
// supervision of silence.
func (b *Broker) publishWill(c *conn) {
	w := c.will
	if w.delay <= 0 {
		b.submitWill(c, w)
		return
	}
	b.wills.mu.Lock()
	defer b.wills.mu.Unlock()
	if b.wills.shut {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(w.delay, func() {
		if b.wills.due(c.client, &timer) {
			b.submitWill(c, w)
		}
	})
	b.wills.waiting[c.client] = timer
}

// due takes a timer that fired out of the list; false when the client came back meanwhile.
func (ws *wills) due(client string, timer **time.Timer) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.waiting[client] != *timer {
		return false
	}
	delete(ws.waiting, client)
	return true
}

// cancel drops the will of a client that is back.
func (ws *wills) cancel(client string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if timer := ws.waiting[client]; timer != nil {
		timer.Stop()
		delete(ws.waiting, client)
	}
}

// stop drops all of them and takes no more: the hub going down is no news about devices.
func (ws *wills) stop() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.shut = true
	for client, timer := range ws.waiting {
		timer.Stop()
		delete(ws.waiting, client)
	}
}

func (b *Broker) submitWill(c *conn, w *will) {
	m := journal.Message{
		Kind: journal.Will, ReceivedNS: time.Now().UnixNano(), Client: c.client, Device: c.who.ID,
		Topic: w.topic, QoS: w.qos, Retain: w.retain, Conn: c.num, Payload: w.payload,
	}
	err := b.stores.state.Submit(m, func(r journal.Receipt, err error) {
		if err != nil {
			b.complain(err)
			return
		}
		if w.retain && isStatus(w.topic) && len(w.payload) <= journal.MaxLifePayload {
			b.retained.put(w.topic, w.payload, w.qos, r.Pos)
		}
		if b.fanout.wanted() {
			b.offer(&message{topic: w.topic, payload: w.payload, props: w.props, qos: w.qos, retain: w.retain, from: c.client})
		}
	})
	if err != nil {
		b.complain(err)
		return
	}
	b.count.wills.Add(1)
}
