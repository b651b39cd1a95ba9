package hudong

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"watchhouse/telemetry"
)

var update = flag.Bool("update", false, "write examples/hudong anew")

const example = "../../examples/hudong"

// The committed files are the generator's: nobody edits them by hand, and the generator does not drift.
func TestExampleFilesAreGenerated(t *testing.T) {
	d := Generate(ExampleSeed)
	if *update {
		if err := d.WriteFiles(example); err != nil {
			t.Fatal(err)
		}
	}
	fresh := t.TempDir()
	if err := d.WriteFiles(fresh); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{DevicesFile, AreasFile, PlacesFile, ContactsFile} {
		want, err := os.ReadFile(filepath.Join(fresh, name))
		if err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadFile(filepath.Join(example, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s differs from the generator; run go test ./simulators/hudong -update", name)
		}
	}
}

func TestSameSeedSameDataset(t *testing.T) {
	if !reflect.DeepEqual(Generate(7), Generate(7)) {
		t.Error("two runs of seed 7 differ")
	}
	if reflect.DeepEqual(Generate(7), Generate(8)) {
		t.Error("seeds 7 and 8 give the same subdistrict")
	}
}

func TestCounts(t *testing.T) {
	d := Generate(ExampleSeed)
	have := map[telemetry.Kind]int{}
	for _, device := range d.Devices {
		have[device.Kind]++
	}
	want := map[telemetry.Kind]int{
		telemetry.EmergencyButton: 190, telemetry.SafetyHouse: 42, telemetry.Gateway: 8,
		telemetry.SortingPoint: 91, telemetry.RecyclablesPoint: 23, telemetry.Garage: 48,
	}
	if !reflect.DeepEqual(have, want) {
		t.Errorf("devices by kind: have %v, want %v", have, want)
	}
	if len(d.Areas) != 32 {
		t.Errorf("committees: have %d, want 32", len(d.Areas))
	}
	withGarages := map[string]bool{}
	for _, device := range d.Devices {
		if name, _, ok := strings.Cut(device.Name, "号非机动车库"); ok {
			withGarages[name[:len(name)-1]] = true
		}
	}
	if len(withGarages) != 22 {
		t.Errorf("%d compounds have garages, want 22", len(withGarages))
	}
}

// Whatever the seed: ids are valid and unique, every device stands inside its committee and no other, gateways exist.
func TestDatasetIsConsistent(t *testing.T) {
	id := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
	rapid.Check(t, func(t *rapid.T) {
		d := Generate(rapid.Uint64().Draw(t, "seed"))
		seen := map[string]telemetry.Kind{}
		for _, device := range d.Devices {
			if _, twice := seen[device.ID]; twice || !id.MatchString(device.ID) {
				t.Fatalf("id %q is invalid or used twice", device.ID)
			}
			seen[device.ID] = device.Kind
			if device.Gateway != "" && seen[device.Gateway] != telemetry.Gateway {
				t.Fatalf("%s is behind %q, which is no gateway", device.ID, device.Gateway)
			}
			for _, a := range d.Areas {
				if a.Contains(device.At) != (a.ID == device.Area) {
					t.Fatalf("%s at %v: area is %s, but %s contains it: %v", device.ID, device.At, device.Area, a.ID, a.Contains(device.At))
				}
			}
		}
	})
}

// The map shows the right part of Pudong and no telephone that could ring somewhere.
func TestPlaceAndPeople(t *testing.T) {
	people := map[string]bool{}
	for _, device := range Generate(ExampleSeed).Devices {
		if p := device.At; p.Lat < 31.24 || p.Lat > 31.28 || p.Lon < 121.56 || p.Lon > 121.60 {
			t.Errorf("%s at %v is outside the subdistrict", device.ID, p)
		}
		if (device.Kind == telemetry.EmergencyButton) != (device.Person != nil) {
			t.Errorf("%s: a button, and nothing else, has a person", device.ID)
		}
		if device.Person == nil {
			continue
		}
		if !strings.HasPrefix(device.Person.Phone, "1540000") || len(device.Person.Phone) != 11 {
			t.Errorf("%s: telephone %s is not from the invented range", device.ID, device.Person.Phone)
		}
		if people[device.Person.ID] {
			t.Errorf("person %s twice", device.Person.ID)
		}
		people[device.Person.ID] = true
		if strings.Contains(device.Name, device.Person.Name) {
			t.Errorf("%s carries a person's name", device.ID)
		}
	}
}

// Every point and garage has its site, at the same position; points of waste open twice a day, garages never close.
func TestPlacesBelongToDevices(t *testing.T) {
	d := Generate(ExampleSeed)
	sites := map[string]Place{}
	for _, p := range d.Places {
		sites[p.ID] = p
	}
	if len(sites) != 91+23+48 {
		t.Errorf("%d places, want 162", len(sites))
	}
	for _, device := range d.Devices {
		p, ok := sites[device.Place]
		windows := map[telemetry.Kind]int{telemetry.SortingPoint: 2, telemetry.RecyclablesPoint: 2, telemetry.Garage: 0}
		want, placed := windows[device.Kind]
		switch {
		case ok != placed:
			t.Errorf("%s: has a place %v, want %v", device.ID, ok, placed)
		case ok && (p.At != device.At || p.Area != device.Area || strings.Count(p.Hours, "-") != want):
			t.Errorf("%s at %v stands at %+v", device.ID, device.At, p)
		}
	}
}

// For every committee there is somebody for each duty, and no telephone could ring somewhere.
func TestContactsCoverTheSubdistrict(t *testing.T) {
	d := Generate(ExampleSeed)
	for _, a := range d.Areas {
		duties := map[string]int{}
		for _, c := range d.Contacts {
			if !strings.HasPrefix(c.Phone, "1540001") || len(c.Phone) != 11 || c.Name == "" {
				t.Errorf("%s: %s %s is not invented as it should be", c.ID, c.Name, c.Phone)
			}
			if len(c.Areas) == 0 || slices.Contains(c.Areas, a.ID) {
				duties[c.Duty]++
			}
		}
		if want := map[string]int{"sanitation": 1, "fire": 1, "tech": 1, "duty": 1}; !reflect.DeepEqual(duties, want) {
			t.Errorf("%s: contacts %v, want %v", a.ID, duties, want)
		}
	}
}

func TestBothWaysOfConnecting(t *testing.T) {
	var behind, direct int
	bought := map[string]int{}
	for _, device := range Generate(ExampleSeed).Devices {
		switch {
		case device.Kind == telemetry.Gateway || device.Kind == telemetry.SafetyHouse:
		case device.Address != "":
			bought[device.Model]++
		case device.Gateway != "":
			behind++
			if device.Power != "battery" {
				t.Errorf("%s is behind a gateway but not on a battery", device.ID)
			}
		default:
			direct++
		}
	}
	want := map[string]int{"milesight-em310-udl": 6, "milesight-gs601": 4, "zigbee-smoke": 4}
	if behind < 120 || direct < 120 || !reflect.DeepEqual(bought, want) {
		t.Errorf("want all kinds of connection well represented, have %v from shops, %d behind gateways and %d direct", bought, behind, direct)
	}
}

// The GeoJSON says what RFC 7946 asks for: longitude first, rings closed and counter-clockwise; and it is plainly marked.
func TestAreasAsGeoJSON(t *testing.T) {
	d := Generate(3)
	var text bytes.Buffer
	if err := d.WriteAreas(&text); err != nil {
		t.Fatal(err)
	}
	var file struct {
		Type      string
		Synthetic bool
		Features  []feature
	}
	if err := json.Unmarshal(text.Bytes(), &file); err != nil {
		t.Fatal(err)
	}
	if file.Type != "FeatureCollection" || !file.Synthetic || len(file.Features) != len(d.Areas) {
		t.Fatalf("have a %s of %d, synthetic: %v", file.Type, len(file.Features), file.Synthetic)
	}
	for i, f := range file.Features {
		a, ring := d.Areas[i], f.Geometry.Coordinates[0]
		if f.Properties != (properties{ID: a.ID, Name: a.Name, NameEN: a.NameEN, Synthetic: true}) || f.Geometry.Type != "Polygon" {
			t.Errorf("area %d: have %+v", i, f.Properties)
		}
		if len(ring) != 5 || ring[0] != ring[4] {
			t.Errorf("%s: the ring is not closed: %v", a.ID, ring)
		}
		twice := 0.0 // the signed area, positive when counter-clockwise
		for n, p := range a.Border {
			if ring[n] != [2]float64{p.Lon, p.Lat} {
				t.Errorf("%s: corner %d is %v, want %v", a.ID, n, ring[n], p)
			}
			twice += ring[n][0]*ring[n+1][1] - ring[n+1][0]*ring[n][1]
		}
		if twice <= 0 {
			t.Errorf("%s runs clockwise", a.ID)
		}
	}
}
