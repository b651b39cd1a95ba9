package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"watchhouse/simulators/device"
)

const (
	window         = 16 // unacknowledged messages of a link
	connectTimeout = 15 * time.Second
	writeTimeout   = 4 * time.Second
	keepAlive      = 60 * time.Second
)

// session is one connection of a link.
type session struct {
	*link
	client   mqtt.Client
	lost     chan struct{}
	commands chan mqtt.Message
	inflight []flight
	flapAt   time.Time
}

// flight is a published message and the library's token for its PUBACK.
type flight struct {
	device.Message
	token mqtt.Token
}

// connect signs the link's owner in.
func (l *link) connect(ctx context.Context) (*session, error) {
	s := &session{link: l, lost: make(chan struct{}), commands: make(chan mqtt.Message, 16)}
	s.client = mqtt.NewClient(s.options(ctx))
	token := s.client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		s.hangUp()
		<-token.Done()
		s.client.Disconnect(0) // it may have connected in the last moment
		return nil, ctx.Err()
	}
	if err := token.Error(); err != nil {
		return nil, fmt.Errorf("fleet: connect %s: %w", l.name, err)
	}
	if flap := l.flapping(); flap > 0 {
		s.flapAt = time.Now().Add(flap)
	}
	return s, nil
}

func (s *session) options(ctx context.Context) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().AddBroker("tcp://" + s.fleet.addr)
	o.SetClientID(s.name).SetProtocolVersion(4).SetCleanSession(true)
	o.SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(false)
	o.SetKeepAlive(keepAlive).SetConnectTimeout(connectTimeout).SetWriteTimeout(writeTimeout)
	if !s.foreign {
		will := s.owner().Status(false)
		o.SetBinaryWill(will.Topic(), will.Payload, 1, true)
	}
	switch {
	case s.account.Secret != "":
		o.SetUsername(s.account.User).SetPassword(s.account.Secret)
	case s.foreign || s.fleet.cfg.HasCertificate(s.name):
		o.SetUsername(s.account.User)
	}
	o.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) {
		return s.dial(ctx)
	})
	o.SetConnectionLostHandler(func(mqtt.Client, error) { close(s.lost) })
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		select {
		case s.commands <- m:
		default: // the hub's outbox asks again
		}
	})
	return o
}

// hangUp closes the socket under the library.
func (s *session) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.conn.Close()
	}
}

// run publishes and collects acks until the connection is lost or ctx ends.
func (s *session) run(ctx context.Context) {
	s.fleet.stats.online.Add(1)
	defer s.fleet.stats.online.Add(-1)
	defer s.end()
	s.announce()
	for {
		next := s.tick(time.Now())
		s.fill()
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
			timer.Stop()
			s.client.Disconnect(100)
			return
		case <-s.lost:
			timer.Stop()
			return
		case <-s.head():
			s.acked()
		case m := <-s.commands:
			s.answer(m)
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// announce tells, before anything else, that the link's devices are there.
func (s *session) announce() {
	var hello []device.Message
	for _, d := range s.members {
		if m, ok := d.Announce(); ok && !d.Dead() {
			hello = append(hello, m)
		}
	}
	s.fleet.stats.pending.Add(int64(len(hello)))
	s.giveBack(hello)
}

// tick queues what is due and gives the moment of the next.
func (s *session) tick(now time.Time) time.Time {
	next := now.Add(time.Minute)
	if at := s.ripe(now); !at.IsZero() && at.Before(next) {
		next = at
	}
	for _, d := range s.members {
		if !d.Due().After(now) {
			for _, delivery := range d.Tick(now) {
				s.push(delivery)
			}
		}
		if due := d.Due(); due.Before(next) {
			next = due
		}
	}
	if s.dead() {
		s.hangUp()
	}
	return s.flap(now, next)
}

// flap breaks a flapping link when its moment has come, and gives the sooner of that moment and next.
func (s *session) flap(now, next time.Time) time.Time {
	switch {
	case s.flapAt.IsZero():
		return next
	case !now.Before(s.flapAt):
		s.hangUp()
		return next
	case s.flapAt.Before(next):
		return s.flapAt
	}
	return next
}

// fill publishes from the queue while the window has room. It asks first whether the connection stands, because the library's Publish
// waits for the write timeout on one that is just going.
func (s *session) fill() {
	for len(s.inflight) < window && s.client.IsConnectionOpen() {
		m, ok := s.take()
		if !ok {
			return
		}
		s.fleet.ledger.Sent(m)
		s.fleet.stats.sent.Add(1)
		s.inflight = append(s.inflight, flight{m, s.client.Publish(m.Topic(), m.QoS, m.Retain, m.Payload)})
	}
}

// head is the oldest outstanding ack; acks come in order, so the others are looked at when it is their turn.
func (s *session) head() <-chan struct{} {
	if len(s.inflight) == 0 {
		return nil
	}
	return s.inflight[0].token.Done()
}

// acked books the oldest message when its token says success. A token that fails means that the connection is going: the message stays,
// and is given back at the end.
func (s *session) acked() {
	oldest := s.inflight[0]
	if oldest.token.Error() != nil {
		s.hangUp()
		<-s.lost
		return
	}
	s.book(oldest)
	s.inflight = s.inflight[1:]
}

func (s *session) book(f flight) {
	s.fleet.ledger.Acked(f.Message, time.Now())
	s.fleet.stats.acked.Add(1)
	s.fleet.stats.pending.Add(-1)
}

// end books what was acknowledged in the last moment and gives the rest back. A retained status is not repeated: the next session sends
// its own.
func (s *session) end() {
	var again []device.Message
	for _, f := range s.inflight {
		select {
		case <-f.token.Done():
			if f.token.Error() == nil {
				s.book(f)
				continue
			}
		default:
		}
		if f.Channel == "status" {
			s.fleet.stats.pending.Add(-1)
			continue
		}
		again = append(again, f.Message)
	}
	s.giveBack(again)
}

// answer accepts a command for one of the link's devices.
func (s *session) answer(m mqtt.Message) {
	s.fleet.stats.commands.Add(1)
	var command struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(m.Payload(), &command); err != nil || command.ID == "" {
		return
	}
	for _, d := range s.members {
		topic := d.Accept("").Topic()
		if strings.TrimSuffix(topic, "/ack") == m.Topic() {
			s.push(device.Delivery{Message: d.Accept(command.ID)})
		}
	}
}
