package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"watchhouse/journal"
)

type journalCmd struct {
	Ls      journalLsCmd      `cmd:"" help:"List lanes, chains and streams with their sizes and cursors."`
	Cat     journalCatCmd     `cmd:"" help:"Print messages, one JSON object a line."`
	Verify  journalVerifyCmd  `cmd:"" help:"Walk everything and name every break."`
	Redrive journalRedriveCmd `cmd:"" help:"Have a running hub decode and store dead letters again."`
}

// readFlags name a data folder that a hub may be using.
type readFlags struct {
	Data string `help:"Data folder." default:"data" env:"WATCHHOUSE_DATA" placeholder:"DIR"`
}

// isFolder refuses what cannot be a hub's data folder.
func isFolder(name string) error {
	info, err := os.Stat(name)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is a file", name)
	}
	if err != nil {
		return badConfigError{fmt.Errorf("--data: want the data folder of a hub: %w", err)}
	}
	return nil
}

func (f readFlags) read(ctx context.Context, work func(*journal.Journal) error) (err error) {
	if err := isFolder(f.Data); err != nil {
		return err
	}
	j, err := journal.OpenReadOnly(ctx, f.Data)
	if err != nil {
		return fmt.Errorf("open %s: %w", f.Data, err)
	}
	defer func() { err = errors.Join(err, closeJournal(ctx, j)) }()
	return work(j)
}

type journalLsCmd struct{ readFlags }

func (c *journalLsCmd) Run(ctx context.Context, std streams) error {
	return c.read(ctx, func(j *journal.Journal) error {
		logs, err := j.List(ctx)
		if err != nil {
			return err
		}
		return journal.WriteList(std.out, logs)
	})
}

type journalCatCmd struct {
	readFlags
	Lane   string `help:"Only this lane: event, state or telemetry." placeholder:"NAME"`
	Device string `help:"Only this device." placeholder:"ID"`
	Since  string `help:"From this time on: 2026-11-24T03:00:00Z, or 10m for ten minutes ago." placeholder:"T"`
	Ticks  bool   `help:"Also the watermarks that idle lanes write."`
	Follow bool   `help:"Go on with what comes, until interrupted; needs --lane." short:"f"`
}

func (c *journalCatCmd) Run(ctx context.Context, std streams) error {
	since, err := parseSince(c.Since, time.Now())
	if err != nil {
		return badConfigError{err}
	}
	lanes := []journal.LaneName{"", journal.EventLane, journal.StateLane, journal.TelemetryLane}
	if !slices.Contains(lanes, journal.LaneName(c.Lane)) {
		return badConfigError{fmt.Errorf("--lane: want event, state or telemetry, have %q", c.Lane)}
	}
	options := journal.CatOptions{Lane: journal.LaneName(c.Lane), Device: c.Device, Since: since, Ticks: c.Ticks, Follow: c.Follow}
	return c.read(ctx, func(j *journal.Journal) error {
		if err := j.Cat(ctx, std.out, options); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
}

// parseSince takes a time, or a duration back from now; empty is the beginning.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--since: want a time like 2026-11-24T03:00:00Z or a duration like 10m, have %q", text)
	}
	return at, nil
}

type journalVerifyCmd struct{ readFlags }

func (c *journalVerifyCmd) Run(ctx context.Context, std streams) error {
	return c.read(ctx, func(j *journal.Journal) error {
		faults, err := j.Verify(ctx)
		if err != nil {
			return err
		}
		for _, fault := range faults {
			fmt.Fprintln(std.out, fault)
		}
		if len(faults) > 0 {
			return fmt.Errorf("%w: %d faults", journal.ErrDamaged, len(faults))
		}
		fmt.Fprintln(std.out, "no faults")
		return nil
	})
}
