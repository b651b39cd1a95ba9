package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"watchhouse/simulators/stream"
)

// kept is how many transitions a console remembers; a scenario looks back a few seconds.
const kept = 4096

// Console remembers what a stream showed and waits for what is expected. Feed its Handler to stream.Client.Run.
type Console struct {
	mu    sync.Mutex
	seen  []stream.Transition // the last ones
	total uint64              // transitions ever seen
	news  chan struct{}       // closed when one comes
}

// NewConsole makes an empty console.
func NewConsole() *Console { return &Console{news: make(chan struct{})} }

// Handler feeds the console.
func (c *Console) Handler() stream.Handler {
	return stream.Handler{Batch: func(b stream.Batch) { c.add(b.Transitions) }}
}

func (c *Console) add(ts []stream.Transition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, ts...)
	c.total += uint64(len(ts))
	if extra := len(c.seen) - kept; extra > 0 {
		c.seen = slices.Delete(c.seen, 0, extra)
	}
	close(c.news)
	c.news = make(chan struct{})
}

// Mark is the place after all that was seen so far.
func (c *Console) Mark() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// UnmetError is an expectation that was not met; Seen tells what came instead.
type UnmetError struct {
	Expect Expect
	Seen   []string
}

func (e *UnmetError) Error() string {
	what := "not seen"
	if e.Expect.None {
		what = "seen though it must not be"
	}
	return fmt.Sprintf("%s within %v: %s; seen: %s", e.Expect, e.Expect.Within, what, strings.Join(e.Seen, ", "))
}

func (e Expect) String() string {
	var parts []string
	for _, p := range []string{e.Rule, e.Device, e.Kind, e.Badge} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if e.Priority != 0 {
		parts = append(parts, fmt.Sprintf("P%d", e.Priority))
	}
	return strings.Join(parts, " ")
}

// Await waits for a transition after mark that meets e, or with None for the time to pass without one. The error is *UnmetError or that
// of ctx.
func (c *Console) Await(ctx context.Context, mark uint64, e Expect) error {
	timeout := time.NewTimer(e.Within)
	defer timeout.Stop()
	for {
		news, after := c.after(mark)
		if slices.ContainsFunc(after, e.met) {
			if e.None {
				return &UnmetError{e, names(after)}
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout.C:
			if e.None {
				return nil
			}
			return &UnmetError{e, names(after)}
		case <-news:
		}
	}
}

// after gives what was seen after mark and is still remembered.
func (c *Console) after(mark uint64) (<-chan struct{}, []stream.Transition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(uint64(len(c.seen)), c.total-mark)
	return c.news, slices.Clone(c.seen[uint64(len(c.seen))-n:])
}

func (e Expect) met(t stream.Transition) bool {
	i := t.Incident
	return i != nil &&
		(e.Rule == "" || e.Rule == i.Rule) && (e.Device == "" || e.Device == i.Device) && (e.Kind == "" || e.Kind == t.Kind) &&
		(e.Priority == 0 || e.Priority == i.Priority) && (e.Badge == "" || slices.Contains(i.Badges, e.Badge))
}

// names tells transitions in short, at most the last ten.
func names(ts []stream.Transition) []string {
	var out []string
	for _, t := range ts[max(0, len(ts)-10):] {
		if t.Incident != nil {
			out = append(out, fmt.Sprintf("%s %s %s P%d", t.Incident.Rule, t.Incident.Device, t.Kind, t.Incident.Priority))
		}
	}
	return out
}
