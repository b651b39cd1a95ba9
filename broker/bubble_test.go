package broker

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/journal"
)

// bubble is a broker in a bubble of synctest: its clock is the test's, its sockets are pipes, its lanes commit when they are told to.
type bubble struct {
	*Broker
	t                       *testing.T
	people                  *people
	event, state, telemetry *paper
	log                     *lockedBuffer
}

// inBubble runs a test against a broker whose time passes only while everybody waits.
func inBubble(t *testing.T, change func(*Config), test func(*bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		if change != nil {
			change(&cfg)
		}
		x := &bubble{t: t, people: newPeople(), event: &paper{}, state: &paper{}, telemetry: &paper{}, log: &lockedBuffer{}}
		s := stores{event: x.event, state: x.state, telemetry: x.telemetry, rejects: x.telemetry, shelf: x.state}
		b, err := newBroker(cfg, s, x.people, slog.New(slog.NewTextHandler(x.log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		x.Broker = b
		test(x)
		if err := b.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// dial gives a connection to the broker.
func (x *bubble) dial() *wire {
	ours, theirs := net.Pipe()
	x.adopt(theirs, nil)
	x.t.Cleanup(func() { _ = ours.Close() })
	return &wire{t: x.t, nc: ours, r: bufio.NewReader(ours)}
}

// join signs in.
func (x *bubble) join(o hello) *wire {
	x.t.Helper()
	w := x.dial()
	if code, _ := w.connect(o); code != 0 {
		x.t.Fatalf("CONNACK %#x", code)
	}
	return w
}

// flood sends a packet over and over as fast as the broker reads, until the connection ends, and reads whatever comes back.
func (w *wire) flood(p []byte) {
	_ = w.nc.SetDeadline(time.Time{})
	go func() {
		for {
			if _, err := w.nc.Write(p); err != nil {
				return
			}
		}
	}()
	go func() { _, _ = w.r.WriteTo(io.Discard) }()
}

// paper is a lane without a disk. It commits at once, or in frames when the test says so.
type paper struct {
	mu      sync.Mutex
	framed  bool
	waiting []func()
	names   []string // devices of what waits
	by      map[string]int
	next    uint64
}

func (p *paper) Submit(m journal.Message, done func(journal.Receipt, error)) error {
	p.mu.Lock()
	p.next++
	r := journal.Receipt{ID: p.next}
	if p.by == nil {
		p.by = map[string]int{}
	}
	if m.Kind == journal.Publish {
		p.by[m.Device]++
	}
	if p.framed {
		p.waiting = append(p.waiting, func() { done(r, nil) })
		p.names = append(p.names, m.Device)
		p.mu.Unlock()
		return nil
	}
	p.mu.Unlock()
	done(r, nil)
	return nil
}

// frame has the lane commit only when it is told to.
func (p *paper) frame() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.framed = true
}

// commit ends a frame and gives whose messages were in it.
func (p *paper) commit() []string {
	p.mu.Lock()
	waiting, names := p.waiting, p.names
	p.waiting, p.names = nil, nil
	p.mu.Unlock()
	for _, done := range waiting {
		done()
	}
	return names
}

// count is how many messages of a device came.
func (p *paper) count(device string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.by[device]
}

func (p *paper) Read(context.Context, journal.Position, int) ([]journal.Entry, journal.Position, error) {
	return nil, journal.Position{}, nil
}
func (p *paper) SetCursor(context.Context, string, journal.Position) error { return nil }
func (p *paper) AddFrom(string, int64, []byte)                             {}
func (p *paper) Get(context.Context, string) ([]byte, error)               { return nil, journal.ErrNotFound }
func (p *paper) Put(context.Context, string, []byte) error                 { return nil }

// pass lets time pass and everything that is due happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
