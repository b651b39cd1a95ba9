package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Rate is an open loop: the clients together publish PerSecond QoS 1 messages, evenly spread, whether or not the broker keeps up.
type Rate struct {
	Clients   int           `help:"Connections." default:"200"`
	PerSecond int           `help:"Messages a second, all clients together." default:"10000"`
	Payload   int           `help:"Payload bytes." default:"90"`
	Duration  time.Duration `help:"Measured time; 0 = until stopped." default:"20s"`
	First     int           `help:"Index of the first account to use." default:"0"`
}

// DefaultRate is the 10,000 msg/s of the latency promise.
func DefaultRate() Rate {
	return Rate{Clients: 200, PerSecond: 10000, Payload: 90, Duration: 20 * time.Second}
}

// Validate names the faulty key.
func (c Rate) Validate() error {
	if c.Clients < 1 || c.PerSecond < 1 || c.First < 0 {
		return fmt.Errorf("clients, per_second: want at least 1, have %d and %d", c.Clients, c.PerSecond)
	}
	return nil
}

// RateResult of one run.
type RateResult struct {
	Sent, Acked int64
	Latency     *hdrhistogram.Histogram // µs from when a message was due to its PUBACK
	Elapsed     time.Duration
	Broken      int64 // connections that ended before their time; each is made again after a pause
}

// Run publishes until Duration is over or ctx ends; the latter is no error.
func (c Rate) Run(ctx context.Context, t Target, progress Progress) (RateResult, error) {
	if err := c.Validate(); err != nil {
		return RateResult{}, fmt.Errorf("load: rate: %w", err)
	}
	if len(t.Accounts) > 0 {
		t.Accounts = t.Accounts[min(c.First, len(t.Accounts)):]
	}
	clients, err := connectAll(ctx, t, c.Clients, progress)
	if err != nil {
		closeAll(clients)
		return RateResult{}, err
	}
	if c.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Duration)
		defer cancel()
	}
	start := time.Now()
	d := &dialer{target: t, buffer: 4096}
	var wg sync.WaitGroup
	streams := make([]*paced, len(clients))
	for i, cl := range clients {
		streams[i] = newPaced(cl.id, c, start)
		wg.Go(func() { streams[i].run(ctx, cl, func() (*client, error) { return d.connect(ctx, i, 0, nil) }) })
	}
	wg.Wait()
	return collect(streams, time.Since(start)), nil
}

func collect(streams []*paced, elapsed time.Duration) RateResult {
	r := RateResult{Latency: newHistogram(2), Elapsed: elapsed}
	for _, s := range streams {
		r.Sent += s.sent
		r.Acked += s.acked
		r.Broken += s.broken
		r.Latency.Merge(s.hist)
	}
	return r
}
