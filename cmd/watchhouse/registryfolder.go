package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"

	"watchhouse/registry"
)

// actor stands in change sets made by these commands.
const actor = "command line"

// folderRegistry is the registry in the data folder of a stopped hub.
type folderRegistry struct {
	dataFlags
	warnings io.Writer
}

func (f folderRegistry) add(ctx context.Context, device registry.Device, secret string) (replaced bool, generated map[string]string, err error) {
	err = f.withRegistry(ctx, func(r *registry.Registry) error {
		_, replaced = r.View().Device(device.ID)
		generated, err = r.PutDevices(ctx, actor, []registry.Device{device}, map[string]string{device.ID: secret})
		if err != nil {
			return badConfigError{err}
		}
		warnUnknown(f.warnings, r.View(), []registry.Device{device})
		return nil
	})
	return replaced, generated, err
}

func (f folderRegistry) bridge(ctx context.Context, id string, grants []registry.Grant, secret string) (generated string, err error) {
	err = f.withRegistry(ctx, func(r *registry.Registry) error {
		if generated, err = r.PutAccess(ctx, actor, id, grants, secret); err != nil {
			return badConfigError{err}
		}
		return nil
	})
	return generated, err
}

func (f folderRegistry) load(ctx context.Context, what string, in io.Reader) (report registry.ImportReport, err error) {
	load := map[string]func(*registry.Registry, context.Context, string, io.Reader) (registry.ImportReport, error){
		"devices": (*registry.Registry).ImportCSV, "areas": (*registry.Registry).ImportAreas,
		"places": (*registry.Registry).ImportPlaces, "contacts": (*registry.Registry).ImportContacts,
	}[what]
	const garbage = 20 // percent of the heap: a large file shall fit into a small machine, and the command ends with it
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	err = f.withRegistry(ctx, func(r *registry.Registry) error {
		if report, err = load(r, ctx, actor, in); err != nil {
			return err
		}
		if what == "devices" {
			warnUnknown(f.warnings, r.View(), r.View().Devices())
		}
		return nil
	})
	return report, err
}

func (f folderRegistry) save(ctx context.Context, what string, out io.Writer) error {
	save := map[string]func(*registry.View, io.Writer) error{
		"devices": (*registry.View).ExportCSV, "places": (*registry.View).ExportPlaces, "contacts": (*registry.View).ExportContacts,
	}[what]
	return f.view(ctx, func(v *registry.View) error { return save(v, out) })
}

func (f folderRegistry) list(ctx context.Context, each func(registry.Device) error) error {
	return f.view(ctx, func(v *registry.View) error {
		for _, device := range v.Devices() {
			if err := each(device); err != nil {
				return err
			}
		}
		return nil
	})
}

// nothingImported names the file of a refused import. The faults of a file are its author's.
func nothingImported(name string, err error) error {
	var rows registry.ImportErrors
	var features registry.FeatureErrors
	var answer *hubProblemError
	switch {
	case errors.As(err, &rows), errors.As(err, &features):
		return badConfigError{fmt.Errorf("%s: nothing was imported:\n%w", name, err)}
	case errors.As(err, &answer) && len(answer.Errors) > 0:
		return badConfigError{fmt.Errorf("%s: nothing was imported:%s", name, answer.faults())}
	}
	return fmt.Errorf("%s: nothing was imported: %w", name, err)
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
