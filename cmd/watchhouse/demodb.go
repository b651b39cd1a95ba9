package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"watchhouse/ingest/influxdb"
)

// influxdBinary is what `make influxd` leaves, beside the program.
const influxdBinary = "influxd"

// demoDatabase is an InfluxDB that joins when its binary has been built. Its address is fixed before, so that the hub can be told.
type demoDatabase struct {
	url    string
	addr   string
	folder string
	log    *slog.Logger
}

func newDemoDatabase(folder string, log *slog.Logger) (*demoDatabase, error) {
	addr, err := influxdb.FreeAddr()
	if err != nil {
		return nil, fmt.Errorf("find a port for InfluxDB: %w", err)
	}
	return &demoDatabase{url: "http://" + addr, addr: addr, folder: filepath.Join(folder, "influxdb"), log: log}, nil
}

// run waits for the binary, starts it and stops it when ctx ends. History is all that is missing without it.
func (d *demoDatabase) run(ctx context.Context) error {
	binary, ok := d.await(ctx)
	if !ok {
		return nil
	}
	server, err := influxdb.StartConfig(ctx, influxdb.Config{Bin: binary, Dir: d.folder, Addr: d.addr})
	if err != nil {
		return fmt.Errorf("start InfluxDB: %w", err)
	}
	d.log.Info("influxdb joined", "url", server.URL())
	<-ctx.Done()
	return server.Stop()
}

// await polls for the binary: it is being built beside us at the first `make run`.
func (d *demoDatabase) await(ctx context.Context) (string, bool) {
	candidates := []string{os.Getenv(influxdb.BinEnv)}
	if self, err := os.Executable(); err == nil {
		candidates = append(candidates, filepath.Join(filepath.Dir(self), influxdBinary))
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for _, path := range candidates {
			if info, err := os.Stat(path); path != "" && err == nil && !info.IsDir() {
				return path, true
			}
		}
		select {
		case <-ctx.Done():
			return "", false
		case <-tick.C:
		}
	}
}
