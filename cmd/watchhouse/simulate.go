package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"watchhouse/simulators/device"
	"watchhouse/simulators/fleet"
	"watchhouse/simulators/load"
	"watchhouse/simulators/report"
	"watchhouse/simulators/verify"
)

type simulateCmd struct {
	Fleet      simulateFleetCmd      `cmd:"" default:"withargs" help:"Devices that behave like the real ones (the default)."`
	Throughput simulateThroughputCmd `cmd:"" help:"Load: as many acknowledged messages as the broker takes."`
	Rate       simulateRateCmd       `cmd:"" help:"Load: a steady rate."`
	Storm      simulateStormCmd      `cmd:"" help:"Load: every connection breaks and comes back at once."`
	Idle       simulateIdleCmd       `cmd:"" help:"Load: connections that say nothing."`
}

type simulateFleetCmd struct {
	fleet.Config
	Registry string        `required:"" help:"CSV of the devices, with the column secret." placeholder:"FILE"`
	For      time.Duration `help:"How long to run; 0 is until interrupted."`
	Patience time.Duration `help:"How long the first client, and the console of --watch, may take to sign in: then it ends with the reason." default:"30s"`
	Ledger   string        `help:"Write what was acknowledged to this file, for a later comparison with journal cat." placeholder:"FILE"`
	Scenario scenarioFlags `embed:""`
	Verify   verifyFlags   `embed:"" prefix:"verify-"`
}

func (c *simulateFleetCmd) Run(ctx context.Context, std streams) error {
	var specs []device.Spec
	err := withInput(c.Registry, std.in, func(in io.Reader) (err error) {
		specs, err = device.ReadSpecs(in, nil)
		return err
	})
	if err != nil {
		return badConfigError{fmt.Errorf("%s: %w", c.Registry, err)}
	}
	if without := slices.IndexFunc(specs, c.LacksSecret); without >= 0 {
		return badConfigError{fmt.Errorf("%s: device %s: want its secret in the column secret, got none", c.Registry, specs[without].ID)}
	}
	played, err := c.Scenario.load()
	if err != nil {
		return err
	}
	ledger := verify.NewLedger()
	c.Config.Ledger = ledger
	c.Progress = func(s fleet.Stats) {
		fmt.Fprintf(std.err, "online %d of %d, acknowledged %d of %d, reconnects %d, failed attempts %d\n",
			s.Online, s.Links, s.Acked, s.Sent, s.Reconnects, s.FailedTry)
	}
	devices, err := fleet.New(c.Config, specs, newLogger(std.err, 0))
	if err != nil {
		return badConfigError{err}
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	if c.For > 0 {
		running, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	go giveUp(running, cancel, c.Patience, devices)
	unmet := c.Scenario.play(running, played, devices, playing{seed: c.Seed, patience: c.Patience, out: std.out})
	return errors.Join(unmet, devices.Unconnected(), writeTo(c.Ledger, ledger.Write), c.Verify.run(ctx, std, ledger))
}

// giveUp cancels when patience is over and every client has tried to sign in and could not; it ends with ctx.
func giveUp(ctx context.Context, cancel context.CancelFunc, patience time.Duration, devices *fleet.Fleet) {
	began, look := time.Now(), time.NewTicker(200*time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		unconnected, ok := errors.AsType[*fleet.UnconnectedError](devices.Unconnected())
		if ok && unconnected.Clients == unconnected.Of && time.Since(began) >= patience {
			cancel()
			return
		}
	}
}

// loadFlags are shared by the load modes.
type loadFlags struct {
	Broker   string `required:"" aliases:"addr" help:"Address of the broker, tcp://HOST:PORT or HOST:PORT; only brokers of your own." placeholder:"URL"`
	Registry string `help:"CSV with id, kind and secret of the accounts to use; without it clients sign in without credentials." placeholder:"FILE"`
	Sources  int    `help:"Loopback addresses to connect from." default:"1"`
	HTML     string `help:"Also write the report as a page." placeholder:"FILE" name:"html"`
	JSON     string `help:"Also write the report as JSON." placeholder:"FILE" name:"json"`
}

// run gives measure the target and prints the report of its section.
func (f loadFlags) run(std streams, measure func(load.Target, load.Progress) (report.Section, error)) error {
	addr := strings.TrimPrefix(f.Broker, "tcp://")
	target := load.Target{Name: addr, Addr: addr, Sources: f.Sources}
	if f.Registry != "" {
		file, err := os.Open(f.Registry)
		if err != nil {
			return badConfigError{err}
		}
		defer file.Close()
		if target.Accounts, err = load.ReadAccounts(file); err != nil {
			return badConfigError{fmt.Errorf("%s: %w", f.Registry, err)}
		}
	}
	section, err := measure(target, func(stage string, done, of int) { fmt.Fprintf(std.err, "%s (%d of %d)\n", stage, done, of) })
	if err != nil {
		return err
	}
	r := report.Report{Title: "Load on " + addr, At: time.Now(), Facts: machine(), Sections: []report.Section{section}}
	if err := r.WriteText(std.out); err != nil {
		return err
	}
	if err := writeTo(f.JSON, r.WriteJSON); err != nil {
		return err
	}
	return writeTo(f.HTML, r.WriteHTML)
}

// sectionOf is the section of a result, which there is only without an error.
func sectionOf(result interface{ Section() report.Section }, err error) (report.Section, error) {
	if err != nil {
		return report.Section{}, err
	}
	return result.Section(), nil
}

type simulateThroughputCmd struct {
	loadFlags
	load.Throughput
}

func (c *simulateThroughputCmd) Run(ctx context.Context, std streams) error {
	return c.run(std, func(t load.Target, p load.Progress) (report.Section, error) {
		result, err := c.Throughput.Run(ctx, t, p)
		return sectionOf(result, err)
	})
}

type simulateRateCmd struct {
	loadFlags
	load.Rate
}

func (c *simulateRateCmd) Run(ctx context.Context, std streams) error {
	return c.run(std, func(t load.Target, p load.Progress) (report.Section, error) {
		result, err := c.Rate.Run(ctx, t, p)
		if err != nil {
			return report.Section{}, err
		}
		return result.Section("steady rate"), nil
	})
}

type simulateStormCmd struct {
	loadFlags
	load.Storm
}

func (c *simulateStormCmd) Run(ctx context.Context, std streams) error {
	return c.run(std, func(t load.Target, p load.Progress) (report.Section, error) {
		result, err := c.Storm.Run(ctx, t, p)
		return sectionOf(result, err)
	})
}

type simulateIdleCmd struct {
	loadFlags
	load.Idle
}

func (c *simulateIdleCmd) Run(ctx context.Context, std streams) error {
	return c.run(std, func(t load.Target, p load.Progress) (report.Section, error) {
		result, err := c.Idle.Run(ctx, t, p)
		return sectionOf(result, err)
	})
}
