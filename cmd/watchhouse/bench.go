package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"watchhouse/internal/durable"
	"watchhouse/simulators/load"
	"watchhouse/simulators/report"
	"watchhouse/simulators/stream"
	"watchhouse/telemetry"
)

// benchCmd measures a hub of its own, in a process of its own, on a throw-away data folder.
type benchCmd struct {
	Only      []string      `help:"Only these parts: ${enum}." enum:"throughput,plain,lone,slowdisk,flood,pipeline,presses,storms,idle,history" sep:","`
	Program   string        `help:"Hub to measure instead of this program, e.g. that of another version." placeholder:"FILE"`
	Data      string        `help:"Folder for the throw-away data; its disk is what is measured. Empty is the temporary folder." placeholder:"DIR"`
	Mosquitto string        `help:"Program to compare with." default:"mosquitto"`
	Rounds    int           `help:"Rounds of the comparison; the medians count." default:"3"`
	Duration  time.Duration `help:"Length of one throughput run." default:"8s"`
	Window    int           `help:"Messages the lone pipelining client keeps in flight." default:"250"`
	SlowDisk  time.Duration `help:"How much longer each commit takes in the part slowdisk." default:"300ms"`
	Clients   int           `help:"Idle connections." default:"15000"`
	Influx    bool          `help:"Give the hub of every part an InfluxDB, not only where it is measured."`
	Rate      int           `help:"Messages a second of the pipeline's steady rate." default:"20000"`
	Steady    time.Duration `help:"Length of the pipeline's steady rate." default:"30s"`
	Days      int           `help:"Days of readings that are in the history." default:"365"`
	Houses    int           `help:"Safety houses whose readings, one every 30 s, are in the history; a million each in a year." default:"3"`
	Storms    int           `help:"Storms of the part storms." default:"5"`
	Profile   string        `help:"Write a CPU profile of the hub in the last part that is measured." placeholder:"FILE"`
	JSON      string        `help:"Also write the report as JSON." placeholder:"FILE" name:"json"`
	HTML      string        `help:"Also write the report as a page." placeholder:"FILE" name:"html"`
}

// benchPart is one measurement: it gets the hub and adds its sections.
type benchPart struct {
	name     string
	run      func(context.Context, *benchHub, load.Progress) ([]report.Section, error)
	database bool           // the hub has an InfluxDB
	devices  []load.Account // registered beside those that put load on
	delay    time.Duration  // of each commit
}

func (c *benchCmd) parts() []benchPart {
	all := []benchPart{
		{name: "throughput", run: c.throughput},
		{name: "plain", run: c.plain},
		{name: "lone", run: c.lone},
		{name: "slowdisk", run: c.slowDisk, delay: c.SlowDisk},
		{name: "pipeline", run: c.pipeline, database: true},
		{name: "presses", run: c.presses},
		{name: "storms", run: c.storms},
		{name: "flood", run: c.flood},
		{name: "idle", run: c.idle},
		{name: "history", run: c.history, database: true, devices: historyAccounts()},
	}
	if len(c.Only) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(p benchPart) bool { return !slices.Contains(c.Only, p.name) })
}

func (c *benchCmd) Run(ctx context.Context, std streams) error {
	r := report.Report{Title: "Watchhouse", At: time.Now(), Facts: machine()}
	for _, part := range c.parts() {
		sections, err := c.measure(ctx, part, std.err)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		r.Sections = append(r.Sections, sections...)
	}
	return errors.Join(r.WriteText(std.out), writeTo(c.JSON, r.WriteJSON), writeTo(c.HTML, r.WriteHTML))
}

// measure gives each part a fresh hub, so that no part pays for another's data.
func (c *benchCmd) measure(ctx context.Context, part benchPart, progress io.Writer) (sections []report.Section, err error) {
	hub, err := startBenchHub(ctx, benchHubConfig{
		folder: c.Data, database: part.database || c.Influx, profile: c.Profile, devices: part.devices,
		delay: part.delay, program: c.Program,
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, hub.stop()) }()
	sections, err = part.run(ctx, hub, func(stage string, done, of int) {
		fmt.Fprintf(progress, "%s: %s (%d of %d)\n", part.name, stage, done, of)
	})
	if err != nil {
		return nil, err
	}
	fsync, err := hub.fsyncFacts(ctx)
	sections[0].Facts = append(sections[0].Facts, fsync...)
	return sections, err
}

func (c *benchCmd) throughput(ctx context.Context, hub *benchHub, progress load.Progress) ([]report.Section, error) {
	return c.compare(ctx, hub, load.DefaultThroughput(), progress)
}

// plain is the 500 clients as devices are: one message a write, four in flight, random payloads.
func (c *benchCmd) plain(ctx context.Context, hub *benchHub, progress load.Progress) ([]report.Section, error) {
	return c.compare(ctx, hub, load.DefaultThroughput().Plain(), progress)
}

// flood is presses beside buttons that call as fast as they can.
func (c *benchCmd) flood(ctx context.Context, hub *benchHub, progress load.Progress) ([]report.Section, error) {
	console := stream.Config{URL: "http://" + hub.HTTP, User: "admin", Password: hub.password}
	result, err := load.DefaultFlood().Run(ctx, hub.target(""), console, progress)
	if err != nil {
		return nil, err
	}
	return []report.Section{result.Section()}, nil
}

// lone is one client that pipelines.
func (c *benchCmd) lone(ctx context.Context, hub *benchHub, progress load.Progress) ([]report.Section, error) {
	return c.compare(ctx, hub, load.DefaultThroughput().Pipelined(c.Window), progress)
}

// slowDisk is the 500 clients on a disk whose every commit takes long: nobody's connection may break for it.
func (c *benchCmd) slowDisk(ctx context.Context, hub *benchHub, progress load.Progress) ([]report.Section, error) {
	run := load.DefaultThroughput()
	run.Duration = c.Duration
	result, err := run.Run(ctx, hub.target(telemetry.SafetyHouse), progress)
	if err != nil {
		return nil, err
	}
	return []report.Section{result.Section()}, nil
}

func (c *benchCmd) compare(ctx context.Context, hub *benchHub, run load.Throughput, progress load.Progress) ([]report.Section, error) {
	other, err := load.StartMosquitto(ctx, c.Mosquitto)
	if err != nil {
		return nil, err
	}
	defer other.Stop()
	run.Duration = c.Duration
	result, err := load.Compare{Throughput: run, Rounds: c.Rounds}.Run(ctx, hub.target(telemetry.SafetyHouse), other.Target(), progress)
	if err != nil {
		return nil, err
	}
	return []report.Section{result.Section()}, nil
}

func (c *benchCmd) presses(ctx context.Context, hub *benchHub, progress load.Progress) ([]report.Section, error) {
	console := stream.Config{URL: "http://" + hub.HTTP, User: "admin", Password: hub.password}
	result, err := load.DefaultSpine().Run(ctx, hub.target(""), console, progress)
	if err != nil {
		return nil, err
	}
	return []report.Section{result.Section()}, nil
}

// storms is the presses' last part by itself, as often as it takes to have a 99th percentile.
func (c *benchCmd) storms(ctx context.Context, hub *benchHub, progress load.Progress) ([]report.Section, error) {
	console := stream.Config{URL: "http://" + hub.HTTP, User: "admin", Password: hub.password}
	result, err := load.Storms{Spine: load.DefaultSpine(), Count: c.Storms}.Run(ctx, hub.target(""), console, progress)
	if err != nil {
		return nil, err
	}
	return []report.Section{result.Section()}, nil
}

func (c *benchCmd) idle(ctx context.Context, hub *benchHub, progress load.Progress) ([]report.Section, error) {
	idle := load.DefaultIdle()
	idle.Clients = c.Clients
	result, err := idle.Run(ctx, hub.target(telemetry.SafetyHouse), progress)
	if err != nil {
		return nil, err
	}
	return []report.Section{result.Section()}, nil
}

// machine says where the numbers come from.
func machine() []report.Fact {
	facts := []report.Fact{
		{Name: "cores", Value: strconv.Itoa(runtime.NumCPU())},
		{Name: "go", Value: runtime.Version()},
		{Name: "system", Value: runtime.GOOS + "/" + runtime.GOARCH},
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				return append(facts, report.Fact{Name: "processor", Value: strings.TrimSpace(value)})
			}
		}
	}
	return facts
}

// writeTo writes a file when it has a name.
func writeTo(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := errors.Join(write(file), file.Close(), durable.SyncFile(name)); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(name))
}
