package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

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

// play runs the devices until ctx ends, and a scenario meanwhile. Unmet expectations are the error.
func (f scenarioFlags) play(ctx context.Context, played *scenario.Scenario, devices *fleet.Fleet, seed uint64, out io.Writer) error {
	if played == nil {
		devices.Run(ctx)
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	runner := scenario.Runner{Fleet: devices, Seed: seed, Report: func(o scenario.Outcome) { tellOutcome(out, o) }}
	var begin chan struct{}
	if f.Watch != "" {
		client, err := stream.New(stream.Config{URL: f.Watch, User: f.User, Password: f.Password})
		if err != nil {
			return badConfigError{err}
		}
		runner.Console, begin = scenario.NewConsole(), make(chan struct{})
		group.Go(func() error { return client.Run(ctx, live(runner.Console.Handler(), begin)) })
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

// live closes begin when the console sees the stream for the first time.
func live(h stream.Handler, begin chan struct{}) stream.Handler {
	seen := false
	h.Live = func() {
		if !seen {
			seen = true
			close(begin)
		}
	}
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
