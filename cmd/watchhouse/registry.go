package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

// actor stands in change sets made by these commands.
const actor = "command line"

type registryCmd struct {
	Add      registryAddCmd      `cmd:"" help:"Add or replace one device."`
	Import   registryImportCmd   `cmd:"" help:"Import devices from CSV: all or nothing."`
	Areas    registryAreasCmd    `cmd:"" help:"Import residential committees from GeoJSON (WGS-84): all or nothing."`
	Places   registryPlacesCmd   `cmd:"" help:"Import places with their opening hours from CSV: all or nothing."`
	Contacts registryContactsCmd `cmd:"" help:"Import who gets orders and calls from CSV: all or nothing."`
	Bridge   registryBridgeCmd   `cmd:"" help:"Add or replace the account of a bridge such as a ChirpStack server or zigbee2mqtt."`
	Export   registryExportCmd   `cmd:"" help:"Export devices as CSV, without secrets."`
	List     registryListCmd     `cmd:"" help:"List devices, one JSON object a line."`
}

type registryAddCmd struct {
	dataFlags
	ID     string `required:"" help:"Device id."`
	Kind   string `required:"" help:"Kind of the device, e.g. emergency_button."`
	Secret string `help:"Secret of the device; generated and printed once when absent."`
	Name   string `help:"Name of the place, never of a person."`
	Area   string `help:"Id of the residential committee."`
}

func (c *registryAddCmd) Run(ctx context.Context, std streams) error {
	device := registry.Device{ID: c.ID, Kind: telemetry.Kind(c.Kind), Name: c.Name, Area: c.Area}
	secret := c.Secret
	if secret == "" {
		secret = "generate"
	}
	return c.withRegistry(ctx, func(r *registry.Registry) error {
		_, replaced := r.View().Device(c.ID)
		generated, err := r.PutDevices(ctx, actor, []registry.Device{device}, map[string]string{c.ID: secret})
		if err != nil {
			return badConfigError{err}
		}
		what := "added"
		if replaced {
			what = "replaced"
		}
		fmt.Fprintf(std.err, "%s %s\n", what, c.ID)
		warnUnknown(std.err, r.View(), []registry.Device{device})
		return printSecrets(std, generated)
	})
}

type registryImportCmd struct {
	dataFlags
	File string `arg:"" help:"CSV file with the header id,kind and optionally more; - is standard input."`
}

func (c *registryImportCmd) Run(ctx context.Context, std streams) error {
	return withInput(c.File, std.in, func(in io.Reader) error {
		return c.withRegistry(ctx, func(r *registry.Registry) error {
			report, err := r.ImportCSV(ctx, actor, in)
			if err != nil {
				return badConfigError{fmt.Errorf("%s: nothing was imported:\n%w", c.File, err)}
			}
			fmt.Fprintf(std.err, "added %d, changed %d devices\n", report.Added, report.Changed)
			warnUnknown(std.err, r.View(), r.View().Devices())
			return printSecrets(std, report.Generated)
		})
	})
}

type registryAreasCmd struct {
	dataFlags
	File string `arg:"" help:"GeoJSON FeatureCollection with id and name of each committee; - is standard input."`
}

func (c *registryAreasCmd) Run(ctx context.Context, std streams) error {
	return c.importFile(ctx, std, c.File, "areas", (*registry.Registry).ImportAreas)
}

type registryExportCmd struct{ dataFlags }

func (c *registryExportCmd) Run(ctx context.Context, std streams) error {
	return c.view(ctx, func(v *registry.View) error { return v.ExportCSV(std.out) })
}

type registryListCmd struct{ dataFlags }

func (c *registryListCmd) Run(ctx context.Context, std streams) error {
	return c.view(ctx, func(v *registry.View) error {
		lines := json.NewEncoder(std.out)
		for _, device := range v.Devices() {
			if err := lines.Encode(device); err != nil {
				return err
			}
		}
		return nil
	})
}

// warnUnknown names areas and gateways that devices refer to and nobody has registered: a later import may bring them, or it is a slip.
func warnUnknown(w io.Writer, v *registry.View, devices []registry.Device) {
	areas, unknown := map[string]bool{}, map[string]int{}
	for _, area := range v.Areas() {
		areas[area.ID] = true
	}
	for _, device := range devices {
		if device.Area != "" && !areas[device.Area] {
			unknown["area "+device.Area]++
		}
		if _, ok := v.Device(device.Gateway); device.Gateway != "" && !ok {
			unknown["gateway "+device.Gateway]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		fmt.Fprintf(w, "warning: %s of %d devices is not registered\n", name, unknown[name])
	}
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
