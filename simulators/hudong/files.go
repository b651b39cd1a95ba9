package hudong

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// File names in the example's folder.
const (
	DevicesFile  = "devices.csv"
	AreasFile    = "areas.geojson"
	PlacesFile   = "places.csv"
	ContactsFile = "contacts.csv"
)

// syntheticNote stands in every person's record, where an operator who reveals it reads it.
const syntheticNote = "虚构人物 synthetic person"

// header of devices.csv, in the registry's words.
func header() []string {
	return []string{
		"id", "kind", "name", "area", "lat", "lon", "crs", "gateway", "power", "report_interval_s", "model",
		"person", "person_name", "person_phone", "person_address", "person_note",
		"address", "settings", "place",
	}
}

// WriteDevices writes the registry's CSV. It holds no secrets: the registry makes them.
func (d Dataset) WriteDevices(w io.Writer) error {
	rows := [][]string{header()}
	for _, device := range d.Devices {
		rows = append(rows, device.row())
	}
	return writeRows(w, "devices", rows)
}

func (d Device) row() []string {
	p, note := d.Person, syntheticNote
	if p == nil {
		p, note = &Person{}, ""
	}
	return []string{
		d.ID, string(d.Kind), d.Name, d.Area, degrees(d.At.Lat), degrees(d.At.Lon), "wgs84", d.Gateway, string(d.Power),
		strconv.Itoa(d.IntervalS), d.Model, p.ID, p.Name, p.Phone, p.Address, note,
		d.Address, d.Settings, d.Place,
	}
}

// WritePlaces writes the registry's CSV of places.
func (d Dataset) WritePlaces(w io.Writer) error {
	rows := [][]string{{"id", "name", "area", "lat", "lon", "hours"}}
	for _, p := range d.Places {
		rows = append(rows, []string{p.ID, p.Name, p.Area, degrees(p.At.Lat), degrees(p.At.Lon), p.Hours})
	}
	return writeRows(w, "places", rows)
}

// WriteContacts writes the registry's CSV of contacts.
func (d Dataset) WriteContacts(w io.Writer) error {
	rows := [][]string{{"id", "duty", "areas", "name", "phone", "webhook"}}
	for _, c := range d.Contacts {
		rows = append(rows, []string{c.ID, c.Duty, strings.Join(c.Areas, ";"), c.Name, c.Phone, ""})
	}
	return writeRows(w, "contacts", rows)
}

func writeRows(w io.Writer, what string, rows [][]string) error {
	if err := csv.NewWriter(w).WriteAll(rows); err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	return nil
}

func degrees(x float64) string { return strconv.FormatFloat(x, 'f', 6, 64) }

// feature is one committee in GeoJSON (RFC 7946: longitude first, rings closed).
type feature struct {
	Type       string     `json:"type"`
	Properties properties `json:"properties"`
	Geometry   geometry   `json:"geometry"`
}

type properties struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	NameEN    string `json:"name_en"`
	Synthetic bool   `json:"synthetic"`
}

type geometry struct {
	Type        string         `json:"type"`
	Coordinates [][][2]float64 `json:"coordinates"`
}

// WriteAreas writes GeoJSON in WGS-84, one committee a line so that a change shows in a diff.
func (d Dataset) WriteAreas(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, `{"type":"FeatureCollection","synthetic":true,"note":"Invented borders and names / 边界与名称均为虚构","features":[`)
	for i, a := range d.Areas {
		line, err := json.Marshal(a.feature())
		if err != nil {
			return fmt.Errorf("write area %s: %w", a.ID, err)
		}
		end := ","
		if i == len(d.Areas)-1 {
			end = ""
		}
		fmt.Fprintf(out, "%s%s\n", line, end)
	}
	fmt.Fprintln(out, "]}")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write areas: %w", err)
	}
	return nil
}

func (a Area) feature() feature {
	var ring [][2]float64
	for _, p := range a.Border {
		ring = append(ring, [2]float64{p.Lon, p.Lat})
	}
	ring = append(ring, ring[0])
	return feature{
		Type:       "Feature",
		Properties: properties{ID: a.ID, Name: a.Name, NameEN: a.NameEN, Synthetic: true},
		Geometry:   geometry{Type: "Polygon", Coordinates: [][][2]float64{ring}},
	}
}

// WriteFiles writes all files into dir, which must exist.
func (d Dataset) WriteFiles(dir string) error {
	return errors.Join(
		writeFile(filepath.Join(dir, DevicesFile), d.WriteDevices),
		writeFile(filepath.Join(dir, AreasFile), d.WriteAreas),
		writeFile(filepath.Join(dir, PlacesFile), d.WritePlaces),
		writeFile(filepath.Join(dir, ContactsFile), d.WriteContacts),
	)
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write example: %w", err)
	}
	return errors.Join(write(f), f.Close())
}
