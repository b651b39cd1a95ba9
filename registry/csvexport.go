package registry

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"
)

// ExportCSV writes devices without secrets and without personal fields, in the form that ImportCSV reads. Texts that a
// spreadsheet would take for a formula get an apostrophe in front, which the import takes off.
func (v *View) ExportCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(exportColumns()); err != nil {
		return fmt.Errorf("export devices: %w", err)
	}
	for _, d := range v.Devices() {
		if err := out.Write(exportRow(d)); err != nil {
			return fmt.Errorf("export devices: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("export devices: %w", err)
	}
	return nil
}

// exportRow is a device in the order of exportColumns.
func exportRow(d Device) []string {
	crs, interval, out := "", "", ""
	if d.Lat != nil {
		crs = "wgs84"
	}
	if d.ReportInterval > 0 {
		interval = strconv.FormatInt(int64(d.ReportInterval/time.Second), 10)
	}
	if d.OutOfService {
		out = "true"
	}
	return []string{
		d.ID, string(d.Kind), guard(d.Name), d.Area, degrees(d.Lat), degrees(d.Lon), crs, d.Gateway, string(d.Power), interval,
		guard(d.Model), guard(d.Address), guard(d.Settings), d.Place, d.Person, out,
	}
}

func degrees(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}
