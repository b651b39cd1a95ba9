package load

import (
	"context"
	"fmt"
	"time"

	"watchhouse/simulators/report"
	"watchhouse/simulators/stream"
)

// Storms measures presses during reconnect storms only, several of them one after the other beside the telemetry: one storm has too few
// presses for a 99th percentile.
type Storms struct {
	Spine
	Count int `help:"Storms." default:"5"`
}

// StormsResult has the presses of all storms together, and what went on beside them.
type StormsResult struct {
	Presses PressResult
	Load    RateResult
	Storms  []StormResult
}

// Run makes the storms.
func (c Storms) Run(ctx context.Context, t Target, console stream.Config, progress Progress) (StormsResult, error) {
	if c.Count < 1 {
		return StormsResult{}, fmt.Errorf("load: storms: want at least 1, have %d", c.Count)
	}
	rest, err := c.rest(t)
	if err != nil {
		return StormsResult{}, err
	}
	p, err := c.Press.NewProber(ctx, t, console)
	if err != nil {
		return StormsResult{}, err
	}
	defer p.Close()
	r := StormsResult{Presses: newPressResult()}
	err = c.beside(ctx, rest, &r.Load, func(ctx context.Context) error {
		for n := range c.Count {
			progress.report("storms", n, c.Count)
			var one SpineResult
			if err := c.storm(ctx, rest, p, &one, nil); err != nil {
				return err
			}
			r.add(one)
		}
		return nil
	})
	return r, err
}

func (r *StormsResult) add(one SpineResult) {
	r.Storms = append(r.Storms, one.Storm)
	r.Presses.Ack.Merge(one.Stormed.Ack)
	r.Presses.Frame.Merge(one.Stormed.Frame)
	r.Presses.Presses += one.Stormed.Presses
	r.Presses.LostAcks += one.Stormed.LostAcks
	r.Presses.LostFrames += one.Stormed.LostFrames
}

// Section of the storms: the presses of all of them, and how each went.
func (r StormsResult) Section() report.Section {
	s := report.Section{
		Name: fmt.Sprintf("from the press to the screen in %d reconnect storms", len(r.Storms)), Note: onePressNote,
		Facts: []report.Fact{{Name: "during the storms", Value: r.Presses.brief()}, {Name: "telemetry", Value: r.Load.brief()}},
		Latencies: []report.Latency{
			report.FromHistogram("PUBLISH to PUBACK", r.Presses.Ack), report.FromHistogram("PUBLISH to frame", r.Presses.Frame),
		},
	}
	for n, storm := range r.Storms {
		s.Facts = append(s.Facts, report.Fact{Name: fmt.Sprintf("storm %d", n+1), Value: fmt.Sprintf(
			"%d devices back after %v, %d repeated attempts, %d lost devices", storm.Clients, storm.Back.Round(time.Millisecond), storm.Retries, storm.Lost)})
	}
	return s
}
