package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Throughput is a closed loop: each client keeps Window QoS 1 messages unacknowledged.
type Throughput struct {
	Clients  int           `help:"Connections." default:"500"`
	Window   int           `help:"Unacknowledged messages a client keeps in flight; Watchhouse caps telemetry at 256." default:"100"`
	Payload  int           `help:"Payload bytes." default:"64"`
	Channel  string        `help:"telemetry, event, or call: events that are emergency calls." default:"telemetry" enum:"telemetry,event,call"`
	Batch    int           `help:"Messages a client puts into one write; 0 = a quarter of its window." default:"0"`
	Random   bool          `help:"Fill the payload with random digits, which do not compress, in place of blanks."`
	Duration time.Duration `help:"Measured time." default:"10s"`
	Warmup   time.Duration `help:"Time before it." default:"2s"`
}

// DefaultThroughput is the 500-client run.
func DefaultThroughput() Throughput {
	return Throughput{
		Clients: 500, Window: 100, Payload: 64, Channel: "telemetry", Duration: 10 * time.Second, Warmup: 2 * time.Second,
	}
}

// Pipelined is the same with one client and a window of n.
func (c Throughput) Pipelined(n int) Throughput {
	c.Clients, c.Window = 1, n
	return c
}

// Plain is what devices do: each message is a write of its own, few are unacknowledged, and no payload is like another.
func (c Throughput) Plain() Throughput {
	c.Window, c.Batch, c.Payload, c.Random = 4, 1, 128, true
	return c
}

// Validate names the faulty key.
func (c Throughput) Validate() error {
	switch {
	case c.Clients < 1:
		return fmt.Errorf("clients: want at least 1, have %d", c.Clients)
	case c.Window < 1 || c.Window > 65535:
		return fmt.Errorf("window: want 1 to 65535, have %d", c.Window)
	case c.Channel != "telemetry" && c.Channel != "event" && c.Channel != channelCall:
		return fmt.Errorf("channel: want telemetry, event or call, have %q", c.Channel)
	case c.Batch < 0 || c.Batch > c.Window:
		return fmt.Errorf("batch: want 0 to the window, %d, have %d", c.Window, c.Batch)
	case c.Duration <= 0 || c.Warmup < 0:
		return fmt.Errorf("duration: want more than 0, have %v after %v", c.Duration, c.Warmup)
	}
	return nil
}

// ThroughputResult of one run.
type ThroughputResult struct {
	Target    string
	Started   time.Time
	Config    Throughput
	Acked     int64 // in the measured time
	Total     int64 // acknowledged in the whole run
	PerSecond float64
	Latency   *hdrhistogram.Histogram // µs, two significant digits
	Series    []int64                 // acks in each second of the whole run
	Unacked   int64                   // published and not acknowledged when the grace time was over
	Broken    int64                   // connections that ended before their time
	CPU       time.Duration           // of the target's process in the measured time, 0 when unknown
	Generator time.Duration           // of this process in the same time
}

// Run connects all clients, runs the loop and waits for the last acks.
func (c Throughput) Run(ctx context.Context, t Target, progress Progress) (ThroughputResult, error) {
	if err := c.Validate(); err != nil {
		return ThroughputResult{}, fmt.Errorf("load: throughput: %w", err)
	}
	clients, err := connectAll(ctx, t, c.Clients, progress)
	defer closeAll(clients)
	if err != nil {
		return ThroughputResult{}, err
	}
	m := newMeter(time.Now(), c.Warmup, c.Duration)
	loops := make([]*loop, len(clients))
	var wg sync.WaitGroup
	for i, cl := range clients {
		loops[i] = newLoop(cl, c, m)
		wg.Go(loops[i].run)
	}
	stop := context.AfterFunc(ctx, func() { closeAll(clients) })
	defer stop()
	cpu := m.watch(ctx, t, progress)
	wg.Wait()
	r := m.result(t, c, loops)
	used := <-cpu
	r.CPU, r.Generator = used[0], used[1]
	return r, ctx.Err()
}

// connectAll signs n clients in, 64 at a time.
func connectAll(ctx context.Context, t Target, n int, progress Progress) ([]*client, error) {
	if err := t.enough(n); err != nil {
		return nil, err
	}
	d := &dialer{target: t, buffer: 4096}
	out := make([]*client, n)
	err := parallel(ctx, n, 64, func(ctx context.Context, i int) error {
		var err error
		out[i], err = d.connect(ctx, i, 0, nil)
		if err == nil && i%100 == 0 {
			progress.report("connecting "+t.Name, i, n)
		}
		return err
	})
	return out, err
}

func closeAll(clients []*client) {
	for _, c := range clients {
		if c != nil {
			c.Close()
		}
	}
}
