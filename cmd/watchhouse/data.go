package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"watchhouse/config"
	"watchhouse/journal"
	"watchhouse/registry"
)

// dataFlags name a data folder that no hub is using.
type dataFlags struct {
	Data   string `help:"Data folder of a stopped hub." default:"data" placeholder:"DIR"`
	Config string `help:"Configuration file, for the key file's place." placeholder:"FILE"`
}

// withRegistry opens the folder's registry for work and closes it; a running hub is journal.ErrInUse.
func (f dataFlags) withRegistry(ctx context.Context, work func(*registry.Registry) error) (err error) {
	cfg, err := config.Load(f.Config, config.Environ())
	if err != nil {
		return badConfigError{err}
	}
	cfg.Data = f.Data
	cfg = cfg.Resolved()
	j, err := journal.Open(ctx, cfg.Journal, slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("open %s: %w", f.Data, err)
	}
	defer func() { err = errors.Join(err, closeJournal(ctx, j)) }()
	r, err := registry.Open(ctx, cfg.Registry, j)
	if err != nil {
		return err
	}
	return work(r)
}

func closeJournal(ctx context.Context, j *journal.Journal) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return j.Close(ctx)
}
