package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"watchhouse/simulators/fleet"
	"watchhouse/simulators/scenario"
	"watchhouse/simulators/stream"
)

// scenarioFlags are what happens to simulated devices, and the console that sees it.
type scenarioFlags struct {
	File     string `help:"Play this scenario with the devices." name:"scenario" placeholder:"FILE"`
	Watch    string `help:"Check what the scenario expects at the hub with this page; its user and password are below." placeholder:"URL"`
	User     string `help:"User name for --watch." default:"operator"`
	Password string `help:"Password for --watch." env:"WATCHHOUSE_PASSWORD"`
}

// load reads the scenario; nil when there is none to play.
func (f scenarioFlags) load() (*scenario.Scenario, error) {
	if f.File == "" {
		return nil, nil //nolint:nilnil // none is no error
	}
	text, err := os.ReadFile(f.File)
	if err != nil {
		return nil, badConfigError{err}
	}
	s, err := scenario.Parse(f.File, text)
	if err != nil {
		return nil, badConfigError{err}
	}
	return s, nil
}

// playing is how a scenario is played.
type playing struct {
	seed     uint64
	patience time.Duration // for the console's first answer
	out      io.Writer
}

// play runs the devices until ctx ends, and a scenario meanwhile. Unmet expectations and a console that does not answer are the error.
func (f scenarioFlags) play(ctx context.Context, played *scenario.Scenario, devices *fleet.Fleet, how playing) error {
	if played == nil {
		devices.Run(ctx)
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	runner := scenario.Runner{Fleet: devices, Seed: how.seed, Report: func(o scenario.Outcome) { tellOutcome(how.out, o) }}
	var begin chan struct{}
	if f.Watch != "" {
		client, err := stream.New(stream.Config{URL: f.Watch, User: f.User, Password: f.Password})
		if err != nil {
			return badConfigError{err}
		}
		runner.Console, begin = scenario.NewConsole(), make(chan struct{})
		last := &lastError{}
		group.Go(func() error {
			if err := client.Run(ctx, live(runner.Console.Handler(), begin, last)); err != nil {
				return fmt.Errorf("--watch %s as %s: %w", f.Watch, f.User, err)
			}
			return nil
		})
		group.Go(func() error { return f.await(ctx, begin, how.patience, last) })
	}
	group.Go(func() error { devices.Run(ctx); return nil })
	var unmet error
	group.Go(func() error {
		if unmet = runner.Run(ctx, played, begin); errors.Is(unmet, context.Canceled) {
			unmet = nil
		}
		return nil // the devices go on
	})
	return errors.Join(group.Wait(), unmet)
}

// lastError is why a console has not answered yet.
type lastError struct {
	mu  sync.Mutex
	err error
}

func (l *lastError) set(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *lastError) get() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// await is an error when the console is not live in time.
func (f scenarioFlags) await(ctx context.Context, begin <-chan struct{}, patience time.Duration, last *lastError) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-begin:
		return nil
	case <-ctx.Done():
		return nil
	case <-timer.C:
		return fmt.Errorf("--watch %s: the console does not answer within %s: %w", f.Watch, patience, cmp.Or(last.get(), errSilent))
	}
}

var errSilent = errors.New("no answer")

// live closes begin when the console sees the stream for the first time.
func live(h stream.Handler, begin chan struct{}, last *lastError) stream.Handler {
	seen := false
	h.Live = func() {
		if !seen {
			seen = true
			close(begin)
		}
	}
	h.Retry = last.set
	return h
}

// tellOutcome tells a step when it is done, and again when what it expects was seen or not.
func tellOutcome(w io.Writer, o scenario.Outcome) {
	tell(w, o)
	switch {
	case o.Err != nil:
		fmt.Fprintf(w, "  %s  failed: %v\n", o.Step.Device, o.Err)
	case o.Checked:
		fmt.Fprintf(w, "  %s  seen after %v: %s\n", o.Step.Device, o.Took.Round(1e6), o.Step.Expect)
	}
}
