package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"watchhouse/telemetry"
)

// PutAreas adds or replaces areas in one change set.
func (r *Registry) PutAreas(ctx context.Context, actor string, as []Area) error {
	return r.edit(ctx, actor, func(d *draft) error {
		var errs []error
		for _, a := range as {
			a.Name, a.NameEN = strings.TrimSpace(a.Name), strings.TrimSpace(a.NameEN)
			if err := checkArea(a); err != nil {
				errs = append(errs, err)
				continue
			}
			d.do(op{Op: opPutArea, Area: &a})
		}
		return errors.Join(errs...)
	})
}

// DeleteArea removes an area; ErrInUse while a device is in it.
func (r *Registry) DeleteArea(ctx context.Context, actor, id string) error {
	return r.edit(ctx, actor, func(d *draft) error {
		if _, ok := d.next.Areas[id]; !ok {
			return fmt.Errorf("area %s: %w", id, ErrNotFound)
		}
		for _, device := range d.next.Devices {
			if device.Area == id {
				return fmt.Errorf("area %s of device %s: %w", id, device.ID, ErrInUse)
			}
		}
		d.do(op{Op: opDeleteArea, ID: id})
		return nil
	})
}

func checkArea(a Area) error {
	bad := func(field, want, got string) error {
		return &InvalidError{"area " + excerpt(a.ID), field, want, got}
	}
	switch {
	case !telemetry.ValidID(a.ID):
		return bad("id", wantID, excerpt(a.ID))
	case a.Name == "" || !validText(a.Name):
		return bad("name", "a name, "+wantLine, excerpt(a.Name))
	case !validText(a.NameEN):
		return bad("name_en", wantLine, excerpt(a.NameEN))
	case !validAutoDispatch(a.AutoDispatch):
		return bad("auto_dispatch", wantAutoDispatch, excerpt(a.AutoDispatch))
	case len(a.Boundary) > 0 && !json.Valid(a.Boundary):
		return bad("boundary", "GeoJSON", "text that is not JSON")
	}
	return nil
}

const wantAutoDispatch = "on, suggest, off or nothing"
