package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// PutDevices adds or replaces devices in one change set (all or nothing). A non-empty secret in secrets[id] sets it;
// "generate" makes one. The generated ones are returned, shown once, and stored only as HMAC. A device without an entry keeps
// the secret it has. Errors are *InvalidError, all of them joined.
func (r *Registry) PutDevices(ctx context.Context, actor string, ds []Device, secrets map[string]string) (generated map[string]string, err error) {
	err = r.edit(ctx, actor, func(d *draft) error {
		generated = map[string]string{}
		return d.putDevices(ds, secrets, generated)
	})
	if err != nil {
		return nil, err
	}
	return generated, nil
}

// DeleteDevice removes a device and its secret. A gateway with children or a house with guards is ErrInUse.
func (r *Registry) DeleteDevice(ctx context.Context, actor, id string) error {
	return r.edit(ctx, actor, func(d *draft) error {
		if _, ok := d.next.Devices[id]; !ok {
			return fmt.Errorf("device %s: %w", id, ErrNotFound)
		}
		if child := d.childOf(id); child != "" {
			return &InUseError{"gateway " + id, "device " + child}
		}
		for _, u := range d.view.Users() {
			if u.House == id {
				return &InUseError{"house " + id, "user " + u.Name}
			}
		}
		d.do(op{Op: opDeleteDevice, ID: id})
		return nil
	})
}

func (d *draft) putDevices(ds []Device, secrets, generated map[string]string) error {
	var errs []error
	seen := map[string]bool{}
	ds = slices.Clone(ds)
	for i := range ds {
		ds[i] = ds[i].tidy(d.view.catalog).fromModel(d.view.catalog)
	}
	for _, device := range ds {
		if seen[device.ID] {
			errs = append(errs, &InvalidError{"device " + excerpt(device.ID), "id", "each device once", "it twice"})
			continue
		}
		seen[device.ID] = true
		if fault := checkDevice(d.view.catalog, device); fault != nil {
			errs = append(errs, fault)
			continue
		}
		d.do(op{Op: opPutDevice, Device: recordOf(device)})
		errs = append(errs, d.putSecret(device.ID, secrets, generated))
	}
	for id := range secrets {
		if !seen[id] {
			errs = append(errs, &InvalidError{"device " + excerpt(id), "secret", "a device of this call", "another"})
		}
	}
	return errors.Join(append(errs, d.checkReferences(ds)...)...)
}

func (d *draft) putSecret(id string, secrets, generated map[string]string) error {
	secret := secrets[id]
	if secret == "" {
		return nil
	}
	made, err := d.setSecret("device "+id, id, secret)
	if made != "" {
		generated[id] = made
	}
	return err
}

// checkReferences checks what the devices refer to, on the state as it will be.
func (d *draft) checkReferences(ds []Device) (errs []error) {
	check := d.referenceCheck()
	for _, device := range ds {
		if !telemetry.ValidID(device.ID) {
			continue // reported already
		}
		for _, fault := range check(device) {
			errs = append(errs, fault)
		}
	}
	return errs
}

// referenceCheck gives the check of a device against all others as they will be; it lists their addresses once.
func (d *draft) referenceCheck() func(Device) []*InvalidError {
	addresses := sync.OnceValue(d.addresses)
	return func(device Device) []*InvalidError {
		return append(d.references(device), d.checkSpeaker(device, addresses)...)
	}
}

// tidy removes what nobody sees from the texts that people type, and gives the address the form of its profile.
func (d Device) tidy(c *catalog.Catalog) Device {
	d.Name, d.Model, d.Address, d.Settings = cleanCell(d.Name), cleanCell(d.Model), cleanCell(d.Address), cleanCell(d.Settings)
	return d.withAddressOf(c)
}

// withAddressOf gives the address the form of the profile that the device speaks; what cannot have it stays, to be refused.
func (d Device) withAddressOf(c *catalog.Catalog) Device {
	if m, known := c.Model(d.Model); known && d.Address != "" {
		if p, speaks := c.Profile(m.Profile); speaks {
			d.Address, _ = p.AddressForm.Normal(d.Address)
		}
	}
	return d
}

// checkDevice checks a device by itself.
func checkDevice(c *catalog.Catalog, d Device) *InvalidError {
	bad := func(field, want, got string) *InvalidError {
		return &InvalidError{"device " + excerpt(d.ID), field, want, got}
	}
	switch {
	case !telemetry.ValidID(d.ID):
		return bad("id", wantID, excerpt(d.ID))
	case !d.Kind.Valid() || misspelt(c, d.Kind) != "" || d.otherKind(c):
		return bad("kind", wantKindOf(c, d), excerpt(string(d.Kind)))
	case !d.Power.Valid():
		return bad("power", wantPower, excerpt(string(d.Power)))
	case d.Place != "" && !telemetry.ValidID(d.Place):
		return bad("place", wantID, excerpt(d.Place))
	case d.ReportInterval < 0 || d.ReportInterval > maxInterval || d.ReportInterval%time.Second != 0:
		return bad("report_interval_s", wantInterval, d.ReportInterval.String())
	}
	for _, text := range [...]struct{ field, value string }{
		{"name", d.Name}, {"model", d.Model}, {"address", d.Address}, {"settings", d.Settings},
	} {
		if !validText(text.value) {
			return bad(text.field, wantLine, excerpt(text.value))
		}
	}
	return checkPosition(d.Lat, d.Lon, bad)
}

// What fields of a device hold, for errors.
const (
	wantID       = "1 to 64 letters, digits, _ or -, beginning with a letter or digit"
	wantPower    = "mains, battery or nothing"
	wantLine     = "at most 256 bytes of UTF-8 in one line, and not what a spreadsheet puts in a text's place (#N/A, 1.38E+10)"
	wantName     = "a name: " + wantLine
	wantInterval = "whole seconds from 1 to 2592000, or nothing for the kind's default"
	wantArea     = "a registered area"
	wantLat      = "degrees from -90 to 90"
	wantLon      = "degrees from -180 to 180"
)

func inRange(degrees, limit float64) bool { return degrees >= -limit && degrees <= limit } // false for NaN

func validText(s string) bool {
	return len(s) <= 256 && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) && !damaged("", s)
}

// references checks what a device refers to: its gateway, area, place and person, and that no account has its id.
func (d *draft) references(device Device) (faults []*InvalidError) {
	bad := func(field, want, got string) {
		faults = append(faults, &InvalidError{"device " + device.ID, field, want, excerpt(got)})
	}
	if _, taken := d.next.Access[device.ID]; taken {
		bad("id", "an id that no access account has", device.ID)
	}
	if gw := device.Gateway; gw != "" && (gw == device.ID || d.next.Devices[gw].device().Kind != telemetry.Gateway) {
		bad("gateway", "a registered device of kind gateway", gw)
	}
	before := d.view.state.Devices[device.ID].device()
	if before.Kind == telemetry.Gateway && device.Kind != telemetry.Gateway && d.childOf(device.ID) != "" {
		bad("kind", "gateway, as long as other devices are behind it", string(device.Kind))
	}
	if device.Area != before.Area && d.strayArea(device.Area) {
		bad("area", wantArea, device.Area)
	}
	if device.Place != before.Place && d.strayPlace(device.Place) {
		bad("place", "a registered place", device.Place)
	}
	if _, known := d.next.Persons[device.Person]; !known && device.Person != "" {
		bad("person", "a registered person", device.Person)
	}
	return faults
}

// checkSpeaker checks what a device needs that speaks a profile: an address of its own, and settings that its model knows.
func (d *draft) checkSpeaker(device Device, addresses func() map[addressKey][]string) (faults []*InvalidError) {
	_, key, ok := speakerOf(d.view.catalog, device)
	if !ok {
		return nil
	}
	if p, _ := d.view.catalog.Profile(key.profile); p != nil {
		if _, ok := p.AddressForm.Normal(cmp.Or(device.Address, device.ID)); !ok {
			faults = append(faults, &InvalidError{"device " + device.ID, "address", p.AddressForm.Want(), excerpt(device.Address)})
		}
	}
	if len(addresses()[key]) > 1 {
		faults = append(faults, &InvalidError{
			"device " + device.ID, "address", "an address that no other device of profile " + key.profile + " has", excerpt(key.address),
		})
	}
	m, _ := d.view.catalog.Model(device.Model)
	if _, err := m.Mapping().Mount(device.Settings); err != nil {
		f, _ := errors.AsType[*telemetry.FieldError](err)
		faults = append(faults, &InvalidError{"device " + device.ID, f.Field, f.Want, excerpt(device.Settings)})
	}
	return faults
}

// addresses lists the devices by address as they will be.
func (d *draft) addresses() map[addressKey][]string {
	all := map[addressKey][]string{}
	for id, r := range d.next.Devices {
		if _, key, ok := speakerOf(d.view.catalog, r.device()); ok {
			all[key] = append(all[key], id)
		}
	}
	return all
}

// childOf gives a device that will be behind the gateway, "" when there is none.
func (d *draft) childOf(gateway string) string {
	for id, child := range d.next.Devices {
		if child.Gateway == gateway {
			return id
		}
	}
	return ""
}
