package hudong

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
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
	for _, name := range []string{DevicesFile, AreasFile} {
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
	want := map[telemetry.Kind]int{telemetry.EmergencyButton: 190, telemetry.SafetyHouse: 42, telemetry.Gateway: 8}
	if !reflect.DeepEqual(have, want) {
		t.Errorf("devices by kind: have %v, want %v", have, want)
	}
	if len(d.Areas) != 32 {
		t.Errorf("committees: have %d, want 32", len(d.Areas))
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

func TestBothWaysOfConnecting(t *testing.T) {
	var behind, direct int
	for _, device := range Generate(ExampleSeed).Devices {
		switch {
		case device.Kind != telemetry.EmergencyButton:
		case device.Gateway != "":
			behind++
			if device.Power != "battery" {
				t.Errorf("%s is behind a gateway but not on a battery", device.ID)
			}
		default:
			direct++
		}
	}
	if behind < 60 || direct < 60 {
		t.Errorf("want both kinds of connection well represented, have %d behind gateways and %d direct", behind, direct)
	}
}

func TestAreasRoundTrip(t *testing.T) {
	d := Generate(3)
	var file bytes.Buffer
	if err := d.WriteAreas(&file); err != nil {
		t.Fatal(err)
	}
	have, err := ReadAreas(&file)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range d.Areas {
		a.compounds = have[i].compounds
		if !reflect.DeepEqual(have[i], a) {
			t.Errorf("area %d: have %v, want %v", i, have[i], a)
		}
	}
}

func TestReadAreasNamesTheFault(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"not JSON", `{`, "read areas"},
		{"no id", `{"features":[{"geometry":{"type":"Polygon","coordinates":[[[1,2],[1,3],[2,3],[1,2]]]}}]}`, "feature 0"},
		{"a point", `{"features":[{"properties":{"id":"a"},"geometry":{"type":"Point","coordinates":[]}}]}`, "feature 0"},
	} {
		if _, err := ReadAreas(strings.NewReader(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: have %v, want an error with %q", c.name, err, c.want)
		}
	}
}
