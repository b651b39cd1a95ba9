package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

// DeleteArea removes an area; ErrInUse while a device, a place or a contact is of it.
func (r *Registry) DeleteArea(ctx context.Context, actor, id string) error {
	return r.edit(ctx, actor, func(d *draft) error {
		if _, ok := d.next.Areas[id]; !ok {
			return fmt.Errorf("area %s: %w", id, ErrNotFound)
		}
		if user := d.userOfArea(id); user != "" {
			return &InUseError{"area " + id, user}
		}
		d.do(op{Op: opDeleteArea, ID: id})
		return nil
	})
}

// userOfArea names something that refers to an area, "" when nothing does.
func (d *draft) userOfArea(id string) string {
	for _, device := range d.next.Devices {
		if device.Area == id {
			return "device " + device.ID
		}
	}
	for _, p := range d.next.Places {
		if p.Area == id {
			return "place " + p.ID
		}
	}
	for _, c := range d.next.Contacts {
		if slices.Contains(c.Areas, id) {
			return "contact " + c.ID
		}
	}
	return ""
}

// strayArea reports whether an area is named that is not registered. Before the first area is, every name will do.
func (d *draft) strayArea(id string) bool {
	_, known := d.next.Areas[id]
	return id != "" && !known && len(d.next.Areas) > 0
}

func checkArea(a Area) error {
	bad := func(field, want, got string) error {
		return &InvalidError{"area " + excerpt(a.ID), field, want, got}
	}
	switch {
	case !telemetry.ValidID(a.ID):
		return bad("id", wantID, excerpt(a.ID))
	case a.Name == "" || !validText(a.Name):
		return bad("name", wantName, excerpt(a.Name))
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
