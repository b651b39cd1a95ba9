package registry

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// ExportCSV writes devices without secrets and without personal fields, in the form that ImportCSV reads. Texts that a
// spreadsheet would take for a formula get an apostrophe in front, which the import takes off.
func (v *View) ExportCSV(w io.Writer) error {
	return writeCSV(w, "devices", exportColumns(), v.Devices(), exportRow)
}

// ExportPlaces writes places in the form that ImportPlaces reads.
func (v *View) ExportPlaces(w io.Writer) error {
	return writeCSV(w, "places", placeColumns(), v.Places(), func(p Place) []string {
		return []string{p.ID, guard(p.Name), p.Area, degrees(p.Lat), degrees(p.Lon), crsOf(p.Lat), p.Hours}
	})
}

// ExportContacts writes contacts without name and telephone, in the form that ImportContacts reads.
func (v *View) ExportContacts(w io.Writer) error {
	return writeCSV(w, "contacts", contactColumns(), v.Contacts(), func(c Contact) []string {
		return []string{c.ID, c.Duty, strings.Join(c.Areas, areaSeparator), c.Webhook}
	})
}

func writeCSV[T any](w io.Writer, what string, header []string, items []T, row func(T) []string) error {
	out := csv.NewWriter(w)
	records := make([][]string, 0, len(items)+1)
	records = append(records, header)
	for _, item := range items {
		records = append(records, row(item))
	}
	if err := out.WriteAll(records); err != nil {
		return fmt.Errorf("export %s: %w", what, err)
	}
	return nil
}

// exportRow is a device in the order of exportColumns.
func exportRow(d Device) []string {
	interval, out := "", ""
	if d.ReportInterval > 0 {
		interval = strconv.FormatInt(int64(d.ReportInterval/time.Second), 10)
	}
	if d.OutOfService {
		out = "true"
	}
	return []string{
		d.ID, string(d.Kind), guard(d.Name), d.Area, degrees(d.Lat), degrees(d.Lon), crsOf(d.Lat), d.Gateway, string(d.Power), interval,
		guard(d.Model), guard(d.Address), guard(d.Settings), d.Place, d.Person, out,
	}
}

// crsOf names the coordinates, if there are any.
func crsOf(lat *float64) string {
	if lat == nil {
		return ""
	}
	return "wgs84"
}

func degrees(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}
