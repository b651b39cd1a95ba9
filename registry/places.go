package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"watchhouse/telemetry"
)

// PutPlaces adds or replaces places in one change set (all or nothing). Errors are *InvalidError, all of them joined.
func (r *Registry) PutPlaces(ctx context.Context, actor string, ps []Place) error {
	return r.edit(ctx, actor, func(d *draft) error {
		var errs []error
		for _, p := range ps {
			errs = append(errs, d.putPlace(p))
		}
		return errors.Join(errs...)
	})
}

// DeletePlace removes a place; ErrInUse while a device is there.
func (r *Registry) DeletePlace(ctx context.Context, actor, id string) error {
	return r.edit(ctx, actor, func(d *draft) error {
		if _, ok := d.next.Places[id]; !ok {
			return fmt.Errorf("place %s: %w", id, ErrNotFound)
		}
		for _, device := range d.next.Devices {
			if device.Place == id {
				return &InUseError{"place " + id, "device " + device.ID}
			}
		}
		d.do(op{Op: opDeletePlace, ID: id})
		return nil
	})
}

// Place gives a place by id. A device may name a place that is not registered while none is.
func (v *View) Place(id string) (Place, bool) {
	p, ok := v.state.Places[id]
	return p, ok
}

// Places lists the places by id.
func (v *View) Places() []Place {
	return slices.SortedFunc(maps.Values(v.state.Places), func(a, b Place) int { return cmp.Compare(a.ID, b.ID) })
}

func (d *draft) putPlace(p Place) error {
	p.Name, p.Hours = cleanCell(p.Name), cleanCell(p.Hours)
	if err := d.checkPlace(p); err != nil {
		return err
	}
	d.do(op{Op: opPutPlace, Place: &p})
	return nil
}

func (d *draft) checkPlace(p Place) error {
	bad := func(field, want, got string) *InvalidError {
		return &InvalidError{"place " + excerpt(p.ID), field, want, got}
	}
	switch {
	case !telemetry.ValidID(p.ID):
		return bad("id", wantID, excerpt(p.ID))
	case p.Name == "" || !validText(p.Name):
		return bad("name", wantName, excerpt(p.Name))
	case p.Area != "" && !telemetry.ValidID(p.Area):
		return bad("area", wantID, excerpt(p.Area))
	case p.Area != d.view.state.Places[p.ID].Area && d.strayArea(p.Area):
		return bad("area", wantArea, excerpt(p.Area))
	case !validHours(p.Hours):
		return bad("hours", wantHours, excerpt(p.Hours))
	}
	if fault := checkPosition(p.Lat, p.Lon, bad); fault != nil {
		return fault
	}
	return nil
}

// strayPlace reports whether a place is named that is not registered. Before the first place is, every name will do.
func (d *draft) strayPlace(id string) bool {
	_, known := d.next.Places[id]
	return id != "" && !known && len(d.next.Places) > 0
}
