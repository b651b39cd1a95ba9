package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"watchhouse/simulators/report"
	"watchhouse/simulators/stream"
	"watchhouse/telemetry"
)

// Flood measures presses while other buttons call as fast as the broker lets them.
type Flood struct {
	Press    Press         `embed:"" prefix:"press-"`
	Devices  int           `help:"Buttons that flood." default:"10"`
	Window   int           `help:"Unacknowledged calls of each of them." default:"100"`
	Quiet    time.Duration `help:"Length of the quiet part." default:"10s"`
	Duration time.Duration `help:"Length of the flood." default:"30s"`
}

// DefaultFlood is ten buttons at full speed for half a minute.
func DefaultFlood() Flood {
	return Flood{Press: DefaultPress(), Devices: 10, Window: 100, Quiet: 10 * time.Second, Duration: 30 * time.Second}
}

// FloodResult of one run.
type FloodResult struct {
	Devices        int
	Quiet, Flooded PressResult
	Flood          ThroughputResult
}

// Run presses on a quiet hub, then during the flood, which goes on until the last press has been seen or given up.
func (c Flood) Run(ctx context.Context, t Target, console stream.Config, progress Progress) (FloodResult, error) {
	r := FloodResult{Devices: c.Devices}
	flooders := t
	flooders.Accounts = slices.DeleteFunc(slices.Clone(t.Accounts), func(a Account) bool { return a.Kind != telemetry.EmergencyButton })
	if len(flooders.Accounts) < c.Press.Buttons+c.Devices {
		return r, fmt.Errorf("load: flood: want %d buttons, have %d", c.Press.Buttons+c.Devices, len(flooders.Accounts))
	}
	flooders.Accounts = flooders.Accounts[c.Press.Buttons:]
	p, err := c.Press.NewProber(ctx, t, console)
	if err != nil {
		return r, err
	}
	defer p.Close()
	progress.report("presses on a quiet hub", 1, 2)
	if r.Quiet, err = p.during(ctx, c.Quiet); err != nil {
		return r, err
	}
	progress.report("presses during a flood", 2, 2)
	flood := DefaultThroughput()
	flood.Clients, flood.Window, flood.Channel, flood.Warmup, flood.Duration = c.Devices, c.Window, channelCall, 0, c.Duration
	done := make(chan error, 1)
	go func() {
		var err error
		r.Flood, err = flood.Run(ctx, flooders, nil)
		done <- err
	}()
	r.Flooded, err = p.during(ctx, c.Duration)
	return r, errors.Join(err, <-done)
}

// Section of a flood.
func (r FloodResult) Section() report.Section {
	s := report.Section{
		Name: fmt.Sprintf("presses while %d buttons flood", r.Devices),
		Note: onePressNote,
		Facts: []report.Fact{
			{Name: "calls of the flood, acknowledged", Value: fmt.Sprintf("%d, %.0f/s", r.Flood.Total, r.Flood.PerSecond)},
			{Name: "without ack, broken connections", Value: fmt.Sprintf("%d, %d", r.Flood.Unacked, r.Flood.Broken)},
		},
	}
	for _, p := range []struct {
		name string
		r    PressResult
	}{{"quiet", r.Quiet}, {"during the flood", r.Flooded}} {
		s.Facts = append(s.Facts, report.Fact{
			Name: p.name, Value: fmt.Sprintf("%d presses, %d without ack, %d without frame", p.r.Presses, p.r.LostAcks, p.r.LostFrames),
		})
		s.Latencies = append(s.Latencies,
			report.FromHistogram("PUBLISH to PUBACK, "+p.name, p.r.Ack), report.FromHistogram("PUBLISH to frame, "+p.name, p.r.Frame))
	}
	return s
}
