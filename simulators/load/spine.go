package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"watchhouse/simulators/stream"
	"watchhouse/telemetry"
)

// Spine measures presses three times over: on a quiet hub, under a steady load of telemetry, and under that load during a reconnect storm.
type Spine struct {
	Press  Press         `embed:"" prefix:"press-"`
	Rate   Rate          `embed:"" prefix:"rate-"`
	Storm  Storm         `embed:"" prefix:"storm-"`
	Quiet  time.Duration `help:"Length of the quiet part." default:"10s"`
	Loaded time.Duration `help:"Length of the loaded part." default:"20s"`
}

// DefaultSpine is the load of the latency promise.
func DefaultSpine() Spine {
	return Spine{Press: DefaultPress(), Rate: DefaultRate(), Storm: DefaultStorm(), Quiet: 10 * time.Second, Loaded: 20 * time.Second}
}

// Accounts is how many accounts a run needs, and of which kind: make them with NewAccounts.
func (c Spine) Accounts() (buttons, others int) {
	return c.Press.Buttons, c.Rate.Clients + c.Storm.Clients
}

// SpineResult of one run. Load and Storm are what happened in the background.
type SpineResult struct {
	Quiet, Loaded, Stormed PressResult
	Load, StormLoad        RateResult
	Storm                  StormResult
}

// Run does the three parts one after the other.
func (c Spine) Run(ctx context.Context, t Target, console stream.Config, progress Progress) (SpineResult, error) {
	rest, err := c.rest(t)
	if err != nil {
		return SpineResult{}, err
	}
	p, err := c.Press.NewProber(ctx, t, console)
	if err != nil {
		return SpineResult{}, err
	}
	defer p.Close()
	var r SpineResult
	progress.report("presses on a quiet hub", 1, 3)
	if r.Quiet, err = p.during(ctx, c.Quiet); err != nil {
		return r, err
	}
	progress.report("presses under telemetry", 2, 3)
	err = c.beside(ctx, rest, &r.Load, func(ctx context.Context) (err error) {
		r.Loaded, err = p.during(ctx, c.Loaded)
		return err
	})
	if err != nil {
		return r, err
	}
	progress.report("presses during a reconnect storm", 3, 3)
	return r, c.beside(ctx, rest, &r.StormLoad, func(ctx context.Context) error { return c.storm(ctx, rest, p, &r, progress) })
}

// rest is the target with the accounts that press nothing.
func (c Spine) rest(t Target) (Target, error) {
	t.Accounts = slices.DeleteFunc(slices.Clone(t.Accounts), func(a Account) bool { return a.Kind == telemetry.EmergencyButton })
	if _, others := c.Accounts(); len(t.Accounts) < others {
		return t, fmt.Errorf("load: spine: want %d accounts that are no buttons, have %d", others, len(t.Accounts))
	}
	return t, nil
}

// during presses for a while.
func (p *Prober) during(ctx context.Context, d time.Duration) (PressResult, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return p.Run(ctx)
}

// beside runs f while telemetry flows at the set rate.
func (c Spine) beside(ctx context.Context, t Target, out *RateResult, f func(context.Context) error) error {
	loadCtx, stop := context.WithCancel(ctx)
	defer stop()
	rate := c.Rate
	rate.Duration, rate.First = 0, 0
	done := make(chan error, 1)
	go func() {
		var err error
		*out, err = rate.Run(loadCtx, t, nil)
		done <- err
	}()
	sleep(ctx, time.Second) // the load shall stand before the measurement begins
	err := f(ctx)
	stop()
	if loadErr := <-done; !errors.Is(loadErr, context.Canceled) {
		err = errors.Join(err, loadErr)
	}
	return err
}

// storm presses from the cut until the last device is back: the presses before the cut are those of the loaded part.
func (c Spine) storm(ctx context.Context, t Target, p *Prober, r *SpineResult, progress Progress) error {
	storm := c.Storm
	storm.First = c.Rate.Clients
	pressCtx, stop := context.WithCancel(ctx)
	defer stop()
	cut := make(chan struct{})
	storm.cut = func() { close(cut) }
	done := make(chan error, 1)
	go func() {
		select {
		case <-cut:
		case <-pressCtx.Done():
		}
		var err error
		r.Stormed, err = p.Run(pressCtx)
		done <- err
	}()
	var err error
	r.Storm, err = storm.Run(ctx, t, progress)
	stop()
	return errors.Join(err, <-done)
}
