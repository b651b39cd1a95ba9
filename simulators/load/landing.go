package load

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// Pipeline is a broker with what comes behind it: messages have landed when they are where they should end.
type Pipeline struct {
	Target
	Landed    func(context.Context) (int64, error) // how many have so far
	Processes []Process                            // whose CPU time is counted, the broker's first
}

// Process is a part of a pipeline.
type Process struct {
	Name string
	PID  int
}

// LandingResult is a closed loop, counted where the messages land.
type LandingResult struct {
	ThroughputResult
	Landed    int64
	During    int64           // of them when the last was acknowledged
	Publish   time.Duration   // from the first PUBLISH to then
	Took      time.Duration   // to the last landing
	Used      []time.Duration // CPU time of the processes
	Own       time.Duration   // of this process: the generator, and a consumer if it has one
	Processes []Process
}

// PerSecond is how many messages landed a second, all the way to the last.
func (r LandingResult) PerSecond() float64 { return float64(r.Landed) / max(r.Took.Seconds(), 1e-9) }

// Meanwhile is how many landed a second while the generator published.
func (r LandingResult) Meanwhile() float64 { return float64(r.During) / max(r.Publish.Seconds(), 1e-9) }

// PerMessage is a CPU time in microseconds for each landed message.
func (r LandingResult) PerMessage(used time.Duration) float64 {
	return float64(used.Microseconds()) / float64(max(1, r.Landed))
}

// landingLimit bounds the wait for the last messages to land.
const landingLimit = 5 * time.Minute

// Land runs the closed loop without a warm-up and waits until everything acknowledged has landed.
func (c Throughput) Land(ctx context.Context, p Pipeline, progress Progress) (r LandingResult, err error) {
	c.Warmup = 0
	r.Processes = p.Processes
	before, err := p.Landed(ctx)
	if err != nil {
		return r, err
	}
	used, own := p.used(), ProcessCPU(os.Getpid())
	if r.ThroughputResult, err = c.Run(ctx, p.Target, progress); err != nil {
		return r, err
	}
	now, err := p.Landed(ctx)
	if err != nil {
		return r, err
	}
	r.During, r.Publish = now-before, time.Since(r.Started)
	if now, err = p.settle(ctx, before+r.Total, progress); err != nil {
		return r, err
	}
	r.Landed, r.Took = now-before, time.Since(r.Started)
	r.Own = ProcessCPU(os.Getpid()) - own
	for i, u := range p.used() {
		r.Used = append(r.Used, u-used[i])
	}
	return r, nil
}

// settle waits until as many have landed, and gives how many have.
func (p Pipeline) settle(ctx context.Context, want int64, progress Progress) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, landingLimit)
	defer cancel()
	for n := 0; ; n++ {
		landed, err := p.Landed(ctx)
		if err != nil || landed >= want {
			return landed, err
		}
		if n%20 == 0 {
			progress.report("landing "+p.Name, int(landed), int(want))
		}
		if sleep(ctx, 50*time.Millisecond); ctx.Err() != nil {
			return landed, fmt.Errorf("load: %s: %d of %d messages landed: %w", p.Name, landed, want, ctx.Err())
		}
	}
}

func (p Pipeline) used() []time.Duration {
	out := make([]time.Duration, len(p.Processes))
	for i, process := range p.Processes {
		out[i] = ProcessCPU(process.PID)
	}
	return out
}

// LandingsResult holds the rounds of two pipelines that took turns.
type LandingsResult struct{ A, B []LandingResult }

// Landings measures a, b, then b, a and so on, as Compare does.
func (c Compare) Landings(ctx context.Context, a, b Pipeline, progress Progress) (LandingsResult, error) {
	var r LandingsResult
	for round := range c.Rounds {
		order := []struct {
			p   Pipeline
			out *[]LandingResult
		}{{a, &r.A}, {b, &r.B}}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, side := range order {
			landed, err := c.Land(ctx, side.p, progress)
			if err != nil {
				return r, fmt.Errorf("load: round %d: %w", round+1, err)
			}
			*side.out = append(*side.out, landed)
		}
	}
	return r, nil
}
