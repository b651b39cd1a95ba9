package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
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
	Broken      int64
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
	defer closeAll(clients)
	if err != nil {
		return RateResult{}, err
	}
	if c.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Duration)
		defer cancel()
	}
	start := time.Now()
	var wg sync.WaitGroup
	streams := make([]*paced, len(clients))
	for i, cl := range clients {
		streams[i] = newPaced(cl, c, start)
		wg.Go(func() { streams[i].write(ctx) })
		wg.Go(streams[i].read)
	}
	wg.Wait()
	return collect(streams, time.Since(start)), nil
}

func collect(streams []*paced, elapsed time.Duration) RateResult {
	r := RateResult{Latency: newHistogram(2), Elapsed: elapsed}
	for _, s := range streams {
		r.Sent += s.sent.Load()
		r.Acked += s.acked.Load()
		r.Latency.Merge(s.hist)
		if s.writeErr != nil || s.readErr != nil {
			r.Broken++
		}
	}
	return r
}

// ids are the packet ids a paced client uses, 1 to ids-1 in turn: more than it can have unacknowledged before it is late anyway.
const ids = 4096

// paced is one client of an open loop: a writer by the clock and a reader of acks.
type paced struct {
	*client
	tmpl              *template
	start             time.Time
	every             time.Duration
	due               [ids]atomic.Int64 // by packet id: ns after start
	sent, acked       atomic.Int64
	finished          atomic.Bool // nothing more will be sent
	hist              *hdrhistogram.Histogram
	writeErr, readErr error
}

func newPaced(c *client, cfg Rate, start time.Time) *paced {
	return &paced{
		client: c, tmpl: newTemplate(c.id, "telemetry", cfg.Payload), start: start,
		every: time.Duration(cfg.Clients) * time.Second / time.Duration(cfg.PerSecond), hist: newHistogram(2),
	}
}

// settle is how long the last acks may take after the writer has stopped.
const settle = 5 * time.Second

// write publishes every message that is due, in one write, and sleeps until the next; phases are random so that clients do not beat as one.
func (p *paced) write(ctx context.Context) {
	due := time.Duration(rand.Int64N(int64(p.every) + 1))
	var out []byte
	for id := uint16(1); ctx.Err() == nil; {
		sleep(ctx, due-time.Since(p.start))
		now := time.Since(p.start)
		for out = out[:0]; due <= now && len(out) < 64<<10; due += p.every {
			p.due[id].Store(int64(due))
			out = p.tmpl.appendMessage(out, id, p.start.UnixMilli()+due.Milliseconds())
			p.sent.Add(1)
			id = max(1, (id+1)%ids)
		}
		if _, p.writeErr = p.Write(out); p.writeErr != nil {
			break
		}
	}
	p.finish()
}

// finish lets the reader wait for what is still unacknowledged, and no longer. A deadline cannot be set only on a closed connection, which
// ends the reader too.
func (p *paced) finish() {
	p.finished.Store(true)
	wait := settle
	if p.complete() {
		wait = 0
	}
	_ = p.SetReadDeadline(time.Now().Add(wait))
}

func (p *paced) complete() bool { return p.finished.Load() && p.acked.Load() == p.sent.Load() }

// read counts acks until all are there after the writer's end.
func (p *paced) read() {
	for !p.complete() {
		pk, err := p.in.Next()
		if err != nil {
			if !p.complete() {
				p.readErr = err
			}
			return
		}
		id, err := pk.Puback()
		if err != nil {
			p.readErr = err
			return
		}
		if id >= ids {
			continue
		}
		p.acked.Add(1)
		_ = p.hist.RecordValue(max(1, (time.Since(p.start) - time.Duration(p.due[id].Load())).Microseconds()))
	}
}
