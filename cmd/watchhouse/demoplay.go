package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"watchhouse/examples/hudong"
	"watchhouse/hub"
	"watchhouse/simulators/device"
	"watchhouse/simulators/fleet"
	"watchhouse/simulators/scenario"
)

// cast is what the demo plays with.
type cast struct {
	furniture
	hub      *hub.Hub
	database *demoDatabase
	log      *slog.Logger
	out      io.Writer
}

// play runs database and devices, and the story once somebody watches, until ctx ends or the hub fails.
func (c *demoCmd) play(ctx context.Context, with cast) error {
	devices, err := c.fleet(with)
	if err != nil {
		return err
	}
	story, err := scenario.Story()
	if err != nil {
		return err
	}
	watched := make(chan struct{})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return with.database.run(ctx) })
	group.Go(func() error { devices.Run(ctx); return nil })
	group.Go(func() error { return failure(ctx, with.hub) })
	group.Go(func() error { firstConsole(ctx, with.hub, watched); return nil })
	group.Go(func() error {
		teller := scenario.Runner{Fleet: devices, Seed: c.Seed, Report: func(o scenario.Outcome) { tell(with.out, o) }}
		if err := teller.Run(ctx, story, watched); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
	return group.Wait()
}

func (c *demoCmd) fleet(with cast) (*fleet.Fleet, error) {
	specs, err := device.ReadSpecs(bytes.NewReader(hudong.Devices), with.secrets)
	if err != nil {
		return nil, fmt.Errorf("example devices: %w", err)
	}
	settings := fleet.DefaultConfig()
	settings.Broker, settings.Seed = "tcp://"+with.hub.MQTTAddr(), c.Seed
	settings.Bridges = with.bridges
	settings.Speed, settings.Pace, settings.Hour = demoSpeed, demoPace, demoHour
	return fleet.New(settings, specs, with.log.With("part", "fleet"))
}

// failure waits until a part of the hub ends by itself.
func failure(ctx context.Context, h *hub.Hub) error {
	select {
	case err := <-h.Failed():
		return err
	case <-ctx.Done():
		return nil
	}
}

// tell says in the terminal what happens, in both languages.
func tell(w io.Writer, o scenario.Outcome) {
	if o.Checked || o.Step.Say.ZH == "" {
		return
	}
	fmt.Fprintf(w, "  %s  %s\n        %s\n", o.Step.Device, o.Step.Say.ZH, o.Step.Say.EN)
}
