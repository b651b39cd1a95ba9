package device

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// Spec is what a simulator must know of a device.
type Spec struct {
	ID, Gateway, Secret string
	Kind                telemetry.Kind
	Power               telemetry.Power
	Model               string
	Address             string        // how a bridge names it, "" = by its id
	Settings            string        // how it is mounted
	Interval            time.Duration // the longest time between two messages
}

// ReadSpecs reads devices from a registry CSV; columns in any order, those that say nothing to a simulator are ignored. secrets may add
// what the file does not hold, by id.
func ReadSpecs(r io.Reader, secrets map[string]string) ([]Spec, error) {
	kinds, err := catalog.Shipped()
	if err != nil {
		return nil, fmt.Errorf("read devices: %w", err)
	}
	in := csv.NewReader(r)
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("read devices: header: %w", err)
	}
	column := map[string]int{}
	for i, name := range head {
		column[name] = i
	}
	if _, ok := column["id"]; !ok {
		return nil, errors.New("read devices: row 1: want a column id")
	}
	var out []Spec
	for row := 2; ; row++ {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("read devices: %w", err)
		}
		spec, err := parseSpec(kinds, func(name string) string {
			if i, ok := column[name]; ok {
				return fields[i]
			}
			return ""
		})
		if err != nil {
			return nil, fmt.Errorf("read devices: row %d: %w", row, err)
		}
		if s, ok := secrets[spec.ID]; ok {
			spec.Secret = s
		}
		out = append(out, spec)
	}
}

func parseSpec(kinds *catalog.Catalog, field func(string) string) (Spec, error) {
	s := Spec{
		ID: field("id"), Kind: telemetry.Kind(field("kind")), Gateway: field("gateway"),
		Power: telemetry.Power(field("power")), Secret: field("secret"), Model: field("model"), Address: field("address"),
		Settings: field("settings"),
	}
	if s.ID == "" {
		return s, errors.New("column id: want an id, have nothing")
	}
	if m, ok := kinds.Model(s.Model); ok {
		s.Kind, s.Power = cmp.Or(s.Kind, m.Kind), cmp.Or(s.Power, m.Power)
	}
	s.Interval = kinds.ReportInterval(s.Kind, s.Power, s.Model)
	if text := field("report_interval_s"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 1 {
			return s, fmt.Errorf("column report_interval_s: want seconds, have %q", text)
		}
		s.Interval = time.Duration(seconds) * time.Second
	}
	return s, nil
}
