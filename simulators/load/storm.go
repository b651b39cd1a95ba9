package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"watchhouse/simulators/packet"
)

// Storm is a reconnect storm: all clients are connected, lose their connections in one moment without a word, and come back at once.
type Storm struct {
	Clients int           `help:"Connections." default:"5000"`
	Width   int           `help:"Connection attempts at the same time." default:"512"`
	Hold    time.Duration `help:"Quiet time before the cut." default:"2s"`
	First   int           `help:"Index of the first account to use." default:"0"`

	cut func() // called at the cut, for what is measured beside the storm
}

// DefaultStorm is the 5,000 devices of the latency promise.
func DefaultStorm() Storm { return Storm{Clients: 5000, Width: 512, Hold: 2 * time.Second} }

// StormResult is how a storm went: a device is back when its retained online status is acknowledged.
type StormResult struct {
	Clients int
	Before  time.Duration           // to connect all of them the first time
	Back    time.Duration           // from the cut until the last one was back
	Latency *hdrhistogram.Histogram // µs from dialling to back, per device, in the storm
	Retries int64                   // refused or broken attempts in the storm
	Lost    int64                   // devices that never came back
}

const (
	stormAttempts = 50
	online        = `{"online":true}`
	offline       = `{"online":false}`
)

// Run connects, cuts and reconnects.
func (c Storm) Run(ctx context.Context, t Target, progress Progress) (StormResult, error) {
	if c.Clients < 1 || c.Width < 1 {
		return StormResult{}, fmt.Errorf("load: storm: want at least 1 client and width, have %d and %d", c.Clients, c.Width)
	}
	if len(t.Accounts) > 0 {
		t.Accounts = t.Accounts[min(c.First, len(t.Accounts)):]
	}
	if err := t.enough(c.Clients); err != nil {
		return StormResult{}, err
	}
	s := &storm{Storm: c, d: &dialer{target: t, buffer: 256}, clients: make([]*client, c.Clients), hist: newHistogram(2), progress: progress}
	defer func() { closeAll(s.clients) }()
	start := time.Now()
	if err := s.connect(ctx, "connecting"); err != nil {
		return StormResult{}, err
	}
	r := StormResult{Clients: c.Clients, Before: time.Since(start)}
	sleep(ctx, c.Hold)
	if c.cut != nil {
		c.cut()
	}
	closeAll(s.clients)
	s.hist.Reset()
	s.retries.Store(0)
	start = time.Now()
	err := s.connect(ctx, "reconnecting")
	r.Back, r.Latency, r.Retries, r.Lost = time.Since(start), s.hist, s.retries.Load(), s.lost.Load()
	return r, err
}

type storm struct {
	Storm
	d             *dialer
	clients       []*client
	mu            sync.Mutex
	hist          *hdrhistogram.Histogram
	retries, lost atomic.Int64
	done          atomic.Int64
	progress      Progress
}

func (s *storm) connect(ctx context.Context, stage string) error {
	s.done.Store(0)
	return parallel(ctx, s.Clients, s.Width, func(ctx context.Context, i int) error {
		start := time.Now()
		for try := 0; ; try++ {
			c, err := s.back(ctx, i)
			if err == nil {
				s.clients[i] = c
				break
			}
			if try == stormAttempts || ctx.Err() != nil {
				s.clients[i] = nil
				s.lost.Add(1)
				return ctx.Err()
			}
			s.retries.Add(1)
			sleep(ctx, time.Duration(20+try*20)*time.Millisecond)
		}
		s.book(time.Since(start), stage)
		return nil
	})
}

func (s *storm) book(d time.Duration, stage string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.hist.RecordValue(max(1, d.Microseconds())) // attempts end long before 100 s
	if n := s.done.Add(1); n%500 == 0 {
		s.progress.report(stage, int(n), s.Clients)
	}
}

// back signs a device in with its will and waits until its retained status is acknowledged.
func (s *storm) back(ctx context.Context, i int) (*client, error) {
	topic := "wh/v1/" + s.d.target.account(i).ID + "/status"
	will := &packet.Publish{Topic: topic, Payload: []byte(offline), QoS: 1, Retain: true}
	c, err := s.d.connect(ctx, i, 600, will)
	if err != nil {
		return nil, err
	}
	if err := c.announce(topic); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// announce publishes the retained online status and waits for its ack.
func (c *client) announce(topic string) error {
	hello := packet.Publish{Topic: topic, Payload: []byte(online), QoS: 1, Retain: true, ID: 1}
	if err := c.SetDeadline(time.Now().Add(connectTimeout)); err != nil {
		return err
	}
	if _, err := c.Write(hello.Append(nil)); err != nil {
		return err
	}
	for {
		p, err := c.in.Next()
		if err != nil {
			return err
		}
		if p.Type != packet.TypePuback {
			continue // a command may come first
		}
		_, err = p.Puback()
		return err
	}
}
