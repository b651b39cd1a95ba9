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
	Data   string `help:"Data folder of a stopped hub; else that of the configuration." placeholder:"DIR"`
	Config string `help:"Configuration file, for the places of data and key file." placeholder:"FILE"`
}

// resolve gives the configuration of the folder.
func (f dataFlags) resolve() (config.Config, error) {
	cfg, err := config.Load(f.Config, config.Environ())
	if err != nil {
		return config.Config{}, badConfigError{err}
	}
	override(&cfg.Data, f.Data)
	return cfg.Resolved(), nil
}

// mustExist refuses a folder that is not there, for commands that change what others have made: a mistyped name makes no new one.
func (f dataFlags) mustExist() error {
	cfg, err := f.resolve()
	if err != nil {
		return err
	}
	return isFolder(cfg.Data)
}

// view reads the folder's registry, beside a running hub too, and changes nothing.
func (f dataFlags) view(ctx context.Context, work func(*registry.View) error) error {
	cfg, err := f.resolve()
	if err != nil {
		return err
	}
	return readFlags{Data: cfg.Data}.read(ctx, func(j *journal.Journal) error {
		r, err := registry.Open(ctx, cfg.Registry, j)
		if err != nil {
			return err
		}
		return work(r.View())
	})
}

// withRegistry opens the folder's registry for work and closes it; a running hub is journal.ErrInUse.
func (f dataFlags) withRegistry(ctx context.Context, work func(*registry.Registry) error) (err error) {
	cfg, err := f.resolve()
	if err != nil {
		return err
	}
	j, err := journal.Open(ctx, cfg.Journal, slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("open %s: %w", cfg.Data, err)
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
