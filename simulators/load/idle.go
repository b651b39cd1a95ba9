package load

import (
	"context"
	"fmt"
	"time"

	"watchhouse/simulators/packet"
)

// Idle holds connections that say nothing, to see what each costs the broker.
type Idle struct {
	Clients int           `help:"Connections; this process may open about 20,000 files." default:"15000"`
	Width   int           `help:"Connection attempts at the same time." default:"128"`
	Hold    time.Duration `help:"How long to hold them." default:"20s"`
}

// DefaultIdle is the 15,000 connections of the memory promise.
func DefaultIdle() Idle { return Idle{Clients: 15000, Width: 128, Hold: 20 * time.Second} }

// IdleResult of one run. The bytes are 0 when the target's process is unknown.
type IdleResult struct {
	Clients       int
	Connect       time.Duration // until all were connected
	Before, After int64         // resident bytes of the target, with none and after Hold with all
	PerConnection int64
	Alive         int // connections that answered a ping at the end
}

// Run connects all, holds them, pings each one and reads the target's memory.
func (c Idle) Run(ctx context.Context, t Target, progress Progress) (IdleResult, error) {
	if c.Clients < 1 || c.Width < 1 {
		return IdleResult{}, fmt.Errorf("load: idle: want at least 1 client and width, have %d and %d", c.Clients, c.Width)
	}
	if err := t.enough(c.Clients); err != nil {
		return IdleResult{}, err
	}
	r := IdleResult{Clients: c.Clients, Before: ProcessRSS(t.PID)}
	d := &dialer{target: t, buffer: 16}
	clients := make([]*client, c.Clients)
	defer func() { closeAll(clients) }()
	start := time.Now()
	if err := parallel(ctx, c.Clients, c.Width, func(ctx context.Context, i int) (err error) {
		if i%500 == 0 {
			progress.report("connecting "+t.Name, i, c.Clients)
		}
		clients[i], err = d.connect(ctx, i, 1200, nil)
		return err
	}); err != nil {
		return r, err
	}
	r.Connect = time.Since(start)
	for held := time.Duration(0); held < c.Hold && ctx.Err() == nil; held += time.Second {
		progress.report("holding "+t.Name, int(held/time.Second), int(c.Hold/time.Second))
		sleep(ctx, min(time.Second, c.Hold-held))
	}
	r.After = ProcessRSS(t.PID)
	r.PerConnection = (r.After - r.Before) / int64(c.Clients)
	r.Alive = countAlive(clients)
	return r, ctx.Err()
}

func countAlive(clients []*client) int {
	alive := 0
	for _, c := range clients {
		if c.ping() == nil {
			alive++
		}
	}
	return alive
}

// ping asks and waits for the answer.
func (c *client) ping() error {
	if err := c.SetDeadline(time.Now().Add(connectTimeout)); err != nil {
		return err
	}
	if _, err := c.Write(packet.AppendPing(nil)); err != nil {
		return err
	}
	for {
		p, err := c.in.Next()
		if err != nil || p.Type == packet.TypePingresp {
			return err
		}
	}
}
