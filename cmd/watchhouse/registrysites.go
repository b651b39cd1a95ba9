package main

import (
	"context"
	"fmt"
	"io"

	"watchhouse/registry"
)

type registryPlacesCmd struct {
	dataFlags
	File string `arg:"" help:"CSV file with id,name and optionally area,lat,lon,crs,hours; - is standard input."`
}

func (c *registryPlacesCmd) Run(ctx context.Context, std streams) error {
	return c.importFile(ctx, std, c.File, "places", (*registry.Registry).ImportPlaces)
}

type registryContactsCmd struct {
	dataFlags
	File string `arg:"" help:"CSV file with id,duty,name and optionally areas,phone,webhook; - is standard input."`
}

func (c *registryContactsCmd) Run(ctx context.Context, std streams) error {
	return c.importFile(ctx, std, c.File, "contacts", (*registry.Registry).ImportContacts)
}

// importFile gives a file to one of the registry's imports.
func (f dataFlags) importFile(
	ctx context.Context, std streams, name, what string, load func(*registry.Registry, context.Context, string, io.Reader) (registry.ImportReport, error),
) error {
	return withInput(name, std.in, func(in io.Reader) error {
		return f.withRegistry(ctx, func(r *registry.Registry) error {
			report, err := load(r, ctx, actor, in)
			if err != nil {
				return badConfigError{fmt.Errorf("%s: nothing was imported:\n%w", name, err)}
			}
			fmt.Fprintf(std.err, "added %d, changed %d %s\n", report.Added, report.Changed, what)
			return nil
		})
	})
}
