package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

type registryCmd struct {
	Add      registryAddCmd      `cmd:"" help:"Add or replace one device."`
	Import   registryImportCmd   `cmd:"" help:"Import devices from CSV: all or nothing."`
	Areas    registryAreasCmd    `cmd:"" help:"Import residential committees from GeoJSON (WGS-84): all or nothing."`
	Places   registryPlacesCmd   `cmd:"" help:"Import places with their opening hours from CSV: all or nothing."`
	Contacts registryContactsCmd `cmd:"" help:"Import who gets orders and calls from CSV: all or nothing."`
	Bridge   registryBridgeCmd   `cmd:"" help:"Add or replace the account of a bridge such as a ChirpStack server or zigbee2mqtt."`
	Export   registryExportCmd   `cmd:"" help:"Export devices, places or contacts as CSV, without secrets and personal data."`
	List     registryListCmd     `cmd:"" help:"List devices, one JSON object a line."`
}

type registryAddCmd struct {
	registryFlags
	ID       string   `required:"" help:"Device id."`
	Kind     string   `help:"Kind of the device, e.g. emergency_button; that of the model when absent."`
	Secret   string   `help:"Secret of the device; generated and printed once when absent."`
	Name     string   `help:"Name of the place, never of a person."`
	Area     string   `help:"Id of the residential committee."`
	Lat      *float64 `help:"Latitude, WGS-84."`
	Lon      *float64 `help:"Longitude, WGS-84."`
	Gateway  string   `help:"Id of the gateway that it is behind."`
	Power    string   `help:"mains or battery; that of the model when absent."`
	Interval int64    `name:"report-interval-s" help:"Seconds within which a message is expected; that of the model or the kind when absent."`
	Model    string   `help:"Id of a model of the catalog."`
	Address  string   `help:"How a bridge names it (DevEUI, friendly name)."`
	Settings string   `help:"How it is mounted, for its model: empty_mm=1200;full_mm=200."`
	Place    string   `help:"Id of the place where it stands."`
}

func (c *registryAddCmd) device() registry.Device {
	return registry.Device{
		ID: c.ID, Kind: telemetry.Kind(c.Kind), Name: c.Name, Area: c.Area, Lat: c.Lat, Lon: c.Lon, Gateway: c.Gateway,
		Power: telemetry.Power(c.Power), ReportInterval: time.Duration(c.Interval) * time.Second, Model: c.Model, Address: c.Address,
		Settings: c.Settings, Place: c.Place,
	}
}

func (c *registryAddCmd) Run(ctx context.Context, std streams) error {
	secret := c.Secret
	if secret == "" {
		secret = registry.GenerateSecret
	}
	store, err := c.store(std)
	if err != nil {
		return err
	}
	replaced, generated, err := store.add(ctx, c.device(), secret)
	if err != nil {
		return err
	}
	what := "added"
	if replaced {
		what = "replaced"
	}
	fmt.Fprintf(std.err, "%s %s\n", what, c.ID)
	return printSecrets(std, generated)
}

type registryImportCmd struct {
	registryFlags
	File string `arg:"" help:"CSV file with the header id,kind and optionally more; - is standard input."`
}

func (c *registryImportCmd) Run(ctx context.Context, std streams) error {
	return c.importFile(ctx, std, c.File, "devices")
}

type registryAreasCmd struct {
	registryFlags
	File string `arg:"" help:"GeoJSON FeatureCollection with id and name of each committee; - is standard input."`
}

func (c *registryAreasCmd) Run(ctx context.Context, std streams) error {
	return c.importFile(ctx, std, c.File, "areas")
}

type registryPlacesCmd struct {
	registryFlags
	File string `arg:"" help:"CSV file with id,name and optionally area,lat,lon,crs,hours; - is standard input."`
}

func (c *registryPlacesCmd) Run(ctx context.Context, std streams) error {
	return c.importFile(ctx, std, c.File, "places")
}

type registryContactsCmd struct {
	registryFlags
	File string `arg:"" help:"CSV file with id,duty,name and optionally areas,phone,webhook; - is standard input."`
}

func (c *registryContactsCmd) Run(ctx context.Context, std streams) error {
	return c.importFile(ctx, std, c.File, "contacts")
}

type registryExportCmd struct {
	registryFlags
	What string `arg:"" optional:"" enum:"devices,places,contacts" default:"devices" help:"devices, places or contacts."`

	WithSecrets bool `help:"Give each device a new secret, and write it too, for simulate --registry. Asks twice: the old secrets are void."`
}

func (c *registryExportCmd) Run(ctx context.Context, std streams) error {
	store, err := c.store(std)
	if err != nil {
		return err
	}
	switch {
	case c.WithSecrets && c.What != "devices":
		return badConfigError{errors.New("--with-secrets: only devices have secrets")}
	case c.WithSecrets:
		return exportWithSecrets(ctx, std, store)
	}
	return store.save(ctx, c.What, std.out)
}

type registryListCmd struct{ registryFlags }

func (c *registryListCmd) Run(ctx context.Context, std streams) error {
	store, err := c.store(std)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(std.out)
	return store.list(ctx, func(d registry.Device) error { return lines.Encode(d) })
}

// importFile gives a file to one of the registry's imports.
func (f registryFlags) importFile(ctx context.Context, std streams, name, what string) error {
	store, err := f.store(std)
	if err != nil {
		return err
	}
	return withInput(name, std.in, func(in io.Reader) error {
		report, err := store.load(ctx, what, in)
		if err != nil {
			return nothingImported(name, err)
		}
		fmt.Fprintf(std.err, "added %d, changed %d %s\n", report.Added, report.Changed, what)
		return printSecrets(std, report.Generated)
	})
}

// printSecrets prints id,secret lines: the only time they can be read.
func printSecrets(std streams, secrets map[string]string) error {
	if len(secrets) > 0 {
		fmt.Fprintln(std.err, "generated secrets as id,secret, shown only now:")
	}
	w := std.out
	for _, id := range slices.Sorted(maps.Keys(secrets)) {
		if _, err := fmt.Fprintf(w, "%s,%s\n", id, secrets[id]); err != nil {
			return fmt.Errorf("print secrets: %w", err)
		}
	}
	return nil
}

// withInput opens a file, or takes standard input for "-".
func withInput(name string, stdin io.Reader, work func(io.Reader) error) error {
	if name == "-" {
		return work(stdin)
	}
	file, err := os.Open(name)
	if err != nil {
		return badConfigError{err}
	}
	defer file.Close()
	return work(file)
}
