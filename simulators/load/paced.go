package load

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// paced is one client of an open loop over all its connections: a broken one is made again after a pause.
type paced struct {
	tmpl                *template
	start               time.Time
	every               time.Duration
	hist                *hdrhistogram.Histogram
	sent, acked, broken int64
}

func newPaced(id string, cfg Rate, start time.Time) *paced {
	return &paced{
		tmpl: newTemplate(id, Throughput{Channel: "telemetry", Payload: cfg.Payload}), start: start,
		every: time.Duration(cfg.Clients) * time.Second / time.Duration(cfg.PerSecond), hist: newHistogram(2),
	}
}

// run publishes over c, and over what dial gives after c broke, until ctx ends.
func (p *paced) run(ctx context.Context, c *client, dial func() (*client, error)) {
	for {
		f := &flow{paced: p, client: c}
		ok := f.run(ctx)
		p.sent += f.sent.Load()
		p.acked += f.acked.Load()
		if ok || ctx.Err() != nil {
			return
		}
		p.broken++
		for {
			sleep(ctx, 200*time.Millisecond+rand.N(800*time.Millisecond))
			var err error
			if c, err = dial(); err == nil {
				break
			}
			if ctx.Err() != nil {
				return
			}
		}
	}
}

// ids are the packet ids a flow uses, 1 to ids-1 in turn: more than it can have unacknowledged before it is late anyway.
const ids = 4096

// flow is one connection of a paced client: a writer by the clock and a reader of acks.
type flow struct {
	*paced
	*client
	due         [ids]atomic.Int64 // by packet id: ns after start
	sent, acked atomic.Int64
	finished    atomic.Bool // nothing more will be sent
}

// settle is how long the last acks may take after the writer has stopped.
const settle = 5 * time.Second

// run reports whether every message was acknowledged.
func (f *flow) run(ctx context.Context) bool {
	defer f.Close()
	var reader sync.WaitGroup
	reader.Go(func() {
		f.read()
		if !f.complete() {
			f.Close() // the writer notices
		}
	})
	f.write(ctx)
	f.finish()
	reader.Wait()
	return f.complete()
}

// write publishes every message that is due, in one write, and sleeps until the next; phases are random so that clients do not beat as one.
func (f *flow) write(ctx context.Context) {
	due := time.Since(f.start) + rand.N(f.every+1)
	var out []byte
	for id := uint16(1); ctx.Err() == nil; {
		sleep(ctx, due-time.Since(f.start))
		now := time.Since(f.start)
		for out = out[:0]; due <= now && len(out) < 64<<10; due += f.every {
			f.due[id].Store(int64(due))
			out = f.tmpl.appendMessage(out, id, f.start.UnixMilli()+due.Milliseconds())
			f.sent.Add(1)
			id = max(1, (id+1)%ids)
		}
		if _, err := f.Write(out); err != nil {
			return
		}
	}
}

// finish lets the reader wait for what is still unacknowledged, and no longer. A deadline cannot be set only on a closed connection, which
// ends the reader too.
func (f *flow) finish() {
	f.finished.Store(true)
	wait := settle
	if f.complete() {
		wait = 0
	}
	_ = f.SetReadDeadline(time.Now().Add(wait))
}

func (f *flow) complete() bool { return f.finished.Load() && f.acked.Load() == f.sent.Load() }

// read counts acks until all are there after the writer's end, or the connection breaks.
func (f *flow) read() {
	for !f.complete() {
		pk, err := f.in.Next()
		if err != nil {
			return
		}
		id, err := pk.Puback()
		if err != nil {
			return
		}
		if id >= ids {
			continue
		}
		f.acked.Add(1)
		_ = f.hist.RecordValue(max(1, (time.Since(f.start) - time.Duration(f.due[id].Load())).Microseconds()))
	}
}
