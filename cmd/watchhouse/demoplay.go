package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"watchhouse/examples/hudong"
	"watchhouse/hub"
	"watchhouse/simulators/device"
	"watchhouse/simulators/fleet"
)

// play runs database and devices, and the story once somebody watches, until ctx ends or the hub fails.
func (c *demoCmd) play(ctx context.Context, h *hub.Hub, database *demoDatabase, secrets map[string]string, log *slog.Logger) error {
	specs, err := device.ReadSpecs(bytes.NewReader(hudong.Devices), secrets)
	if err != nil {
		return fmt.Errorf("example devices: %w", err)
	}
	settings := fleet.DefaultConfig()
	settings.Broker, settings.Seed, settings.Speed = "tcp://"+h.MQTTAddr(), c.Seed, demoSpeed
	devices, err := fleet.New(settings, specs, log.With("part", "fleet"))
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return database.run(ctx) })
	group.Go(func() error { devices.Run(ctx); return nil })
	group.Go(func() error {
		select {
		case err := <-h.Failed():
			return err
		case <-ctx.Done():
			return nil
		}
	})
	return group.Wait()
}
