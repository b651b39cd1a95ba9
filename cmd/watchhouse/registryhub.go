package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"watchhouse/dashboard"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// hubRegistry is the registry of a running hub.
type hubRegistry struct{ *hubClient }

// add replaces the device, or adds it when there is none.
func (h hubRegistry) add(ctx context.Context, device registry.Device, secret string) (replaced bool, generated map[string]string, err error) {
	fields := fieldsOf(device, secret)
	var answer dashboard.RegisteredDevice
	err = h.put(ctx, http.MethodPut, "/devices/"+url.PathEscape(device.ID), fields, &answer)
	replaced = err == nil
	if problem, ok := errors.AsType[*hubProblemError](err); ok && problem.Status == http.StatusNotFound {
		err = h.put(ctx, http.MethodPost, "/devices", dashboard.NewDevice{ID: device.ID, DeviceFields: fields}, &answer)
	}
	if err != nil {
		return false, nil, refused(err)
	}
	if answer.Secret != "" {
		generated = map[string]string{device.ID: answer.Secret}
	}
	return replaced, generated, nil
}

// bridge needs the token of an administrator: an account may be granted every topic.
func (h hubRegistry) bridge(ctx context.Context, id string, grants []registry.Grant, secret string) (generated string, err error) {
	var answer dashboard.BridgeAnswer
	fields := dashboard.BridgeFields{Grants: grants, Secret: secret}
	if err := h.put(ctx, http.MethodPut, "/accounts/"+url.PathEscape(id), fields, &answer); err != nil {
		return "", refused(err)
	}
	return answer.Secret, nil
}

// refused marks a refusal of faulty fields as its author's.
func refused(err error) error {
	if problem, ok := errors.AsType[*hubProblemError](err); ok && len(problem.Errors) > 0 {
		return badConfigError{err}
	}
	return err
}

func (h hubRegistry) put(ctx context.Context, method, path string, fields, answer any) error {
	body, err := jsonBody(fields)
	if err != nil {
		return err
	}
	return h.send(ctx, method, path, body, answer)
}

func (h hubRegistry) load(ctx context.Context, what string, in io.Reader) (registry.ImportReport, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return registry.ImportReport{}, fmt.Errorf("read the file: %w", err)
	}
	name, kind := what+".csv", "text/csv"
	if what == "areas" {
		name, kind = "areas.geojson", "application/geo+json"
	}
	var answer dashboard.ImportResult
	if err := h.send(ctx, http.MethodPost, "/registry/"+name, hubBody{kind, text}, &answer); err != nil {
		return registry.ImportReport{}, err
	}
	return registry.ImportReport{Added: answer.Added, Changed: answer.Changed, Generated: answer.Secrets}, nil
}

func (h hubRegistry) save(ctx context.Context, what string, out io.Writer) error {
	text, err := h.fetch(ctx, http.MethodGet, "/registry/"+what+".csv", hubBody{})
	if err != nil {
		return err
	}
	if _, err := out.Write(text); err != nil {
		return fmt.Errorf("export %s: %w", what, err)
	}
	return nil
}

func (h hubRegistry) list(ctx context.Context, each func(registry.Device) error) error {
	for cursor := ""; ; {
		var page dashboard.Page[dashboard.Registration]
		query := url.Values{"limit": {"500"}, "cursor": {cursor}}
		if err := h.call(ctx, http.MethodGet, "/registry/devices?"+query.Encode(), &page); err != nil {
			return err
		}
		for _, r := range page.Items {
			if err := each(deviceOf(r)); err != nil {
				return err
			}
		}
		if cursor = page.Next; cursor == "" {
			return nil
		}
	}
}

func fieldsOf(d registry.Device, secret string) dashboard.DeviceFields {
	return dashboard.DeviceFields{
		Kind: string(d.Kind), Name: d.Name, Area: d.Area, Lat: d.Lat, Lon: d.Lon, Gateway: d.Gateway, Power: string(d.Power),
		ReportIntervalS: int64(d.ReportInterval / time.Second), Model: d.Model, Address: d.Address, Settings: d.Settings, Place: d.Place,
		Person: d.Person, OutOfService: d.OutOfService, Secret: secret,
	}
}

func deviceOf(r dashboard.Registration) registry.Device {
	return registry.Device{
		ID: r.ID, Kind: telemetry.Kind(r.Kind), Name: r.Name, Area: r.Area, Lat: r.Lat, Lon: r.Lon, Gateway: r.Gateway,
		Power: telemetry.Power(r.Power), ReportInterval: time.Duration(r.ReportIntervalS) * time.Second, Model: r.Model, Address: r.Address,
		Settings: r.Settings, Place: r.Place, Person: r.Person, OutOfService: r.OutOfService, HasSecret: r.HasSecret,
	}
}
