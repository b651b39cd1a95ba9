package main

import (
	"context"
	"errors"
	"io"
	"time"

	"watchhouse/registry"
)

// registryStore is where a registry is kept. what is devices, areas, places or contacts.
type registryStore interface {
	add(ctx context.Context, device registry.Device, secret string) (replaced bool, generated map[string]string, err error)
	bridge(ctx context.Context, id string, grants []registry.Grant, secret string) (generated string, err error)
	load(ctx context.Context, what string, in io.Reader) (registry.ImportReport, error)
	save(ctx context.Context, what string, out io.Writer) error
	list(ctx context.Context, each func(registry.Device) error) error
}

// registryFlags name a data folder or a running hub.
type registryFlags struct {
	dataFlags
	URL       string `help:"Address of a running hub, in place of a data folder." placeholder:"URL"`
	TokenFile string `help:"With --url: file with a token that watchhouse user token printed." placeholder:"FILE"`
	CAFile    string `name:"ca-file" help:"With --url: authority of the hub's certificate; else those of the system." placeholder:"FILE"`
}

// answerLimit is how long a hub may take for a large file.
const answerLimit = 2 * time.Minute

func (f registryFlags) store(std streams) (registryStore, error) {
	if f.URL == "" && f.TokenFile == "" && f.CAFile == "" {
		return folderRegistry{f.dataFlags, std.err}, nil
	}
	flags, err := f.hub()
	if err != nil {
		return nil, err
	}
	client, err := flags.client()
	if err != nil {
		return nil, err
	}
	return hubRegistry{client}, nil
}

// hub names the running hub that is meant in place of a folder.
func (f registryFlags) hub() (hubFlags, error) {
	switch {
	case f.URL == "":
		return hubFlags{}, badConfigError{errors.New("--url: want the address of the hub that the token or password is for")}
	case f.Data != "" || f.Config != "":
		return hubFlags{}, badConfigError{errors.New("--url: want it, or --data and --config, not both")}
	}
	return hubFlags{URL: f.URL, TokenFile: f.TokenFile, CAFile: f.CAFile, Timeout: answerLimit}, nil
}
