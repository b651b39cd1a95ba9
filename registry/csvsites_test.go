package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// sites are the two files beside that of devices.
type sites struct {
	load func(*Registry, context.Context, string, io.Reader) (ImportReport, error)
	save func(*View, io.Writer) error
}

func placeFiles() sites   { return sites{(*Registry).ImportPlaces, (*View).ExportPlaces} }
func contactFiles() sites { return sites{(*Registry).ImportContacts, (*View).ExportContacts} }

func (s sites) read(r *Registry, file string) (ImportReport, error) {
	return s.load(r, context.Background(), "t", strings.NewReader(file))
}

func (s sites) write(tb fataler, r *Registry) string {
	tb.Helper()
	var b strings.Builder
	check(tb, s.save(r.View(), &b))
	return b.String()
}

func TestImportPlaces(t *testing.T) {
	r := openTest(t)
	steps := []struct {
		file           string
		added, changed int
		want           Place
	}{
		{
			"\xef\xbb\xbfName,ID,hours,lat,lon,crs,area\r\n\" 洪安一村,1号\",s1,06:30-09:00;18:00-20:30,31.25,121.56,CGCS2000,\r\n车库,s2,,,,,\r\n", 2, 0,
			Place{ID: "s1", Name: "洪安一村,1号", Hours: "06:30-09:00;18:00-20:30", Lat: new(31.25), Lon: new(121.56)},
		},
		{"id,name\ns1,'=1+1\ns2,车库\n", 0, 1, Place{ID: "s1", Name: "=1+1", Hours: "06:30-09:00;18:00-20:30", Lat: new(31.25), Lon: new(121.56)}},
		{"id,hours,lat,lon\ns1,,,\n", 0, 1, Place{ID: "s1", Name: "=1+1"}},
		{"id,hours,lat,lon\ns1,,,\n", 0, 0, Place{ID: "s1", Name: "=1+1"}},
	}
	for _, step := range steps {
		report, err := placeFiles().read(r, step.file)
		check(t, err)
		got, _ := r.View().Place("s1")
		if diff := cmp.Diff(step.want, got); diff != "" || report.Added != step.added || report.Changed != step.changed {
			t.Errorf("after %q: %+v, place (-want +got):\n%s", step.file, report, diff)
		}
	}
}

func TestImportContacts(t *testing.T) {
	r := openTest(t)
	for _, step := range []struct {
		file           string
		added, changed int
		reach          Reach
		areas          string
	}{
		{"id,duty,areas,name,phone,webhook\nc1,sanitation, a2 ;a1;,王环卫,'+8615400010001,https://h/\nc2,tech,,x,,\n", 2, 0, Reach{"王环卫", "+8615400010001"}, "a1 a2"},
		{"id,phone\nc1,15400010002\n", 0, 1, Reach{"王环卫", "15400010002"}, "a1 a2"},
		{"id,areas\nc1,a2;a1\n", 0, 0, Reach{"王环卫", "15400010002"}, "a1 a2"},
		{"id,areas,duty\nc1,,fire\n", 0, 1, Reach{"王环卫", "15400010002"}, ""},
		{"id,name,phone\nc1,王环卫,15400010002\n", 0, 0, Reach{"王环卫", "15400010002"}, ""},
	} {
		report, err := contactFiles().read(r, step.file)
		check(t, err)
		got, err := r.RevealContact("c1")
		check(t, err)
		areas := strings.Join(r.View().Contacts()[0].Areas, " ")
		if got != step.reach || areas != step.areas || report.Added != step.added || report.Changed != step.changed {
			t.Errorf("after %q: %+v, %+v in %q", step.file, report, got, areas)
		}
	}
}

func TestSiteFilesNameEveryFault(t *testing.T) {
	for name, tc := range map[string]struct {
		files sites
		file  string
		want  []RowError // Want is a part of the text
	}{
		"no places":     {placeFiles(), "", []RowError{{1, "", "a header with at least id", "an empty file"}}},
		"other columns": {placeFiles(), "id,name,phone\n", []RowError{{1, "phone", "one of id,name,area,lat,lon,crs,hours", "unknown"}}},
		"no id":         {placeFiles(), "name\nx\n", []RowError{{1, "id", "this column", "none"}}},
		"places": {
			placeFiles(), "id,name,area,lat,lon,crs,hours\na b,x,,,,,\ns1,,,,,,\ns2,x,nowhere,,,,\ns3,x,?,91,1,,\ns4,x,,1,,,\ns5,x,,31,121,gcj02,\ns6,x,,,,,dawn\ns6,x,,,,,\ns7,\"a\nb\",,,,,\n",
			[]RowError{
				{2, "id", "1 to 64", `"a b"`},
				{3, "name", "a name", "nothing"},
				{4, "area", "a registered area", `"nowhere"`},
				{5, "area", "1 to 64", `"?"`},
				{5, "lat", "-90 to 90", `"91"`},
				{6, "lon", "both", "nothing"},
				{7, "crs", "wgs84", `"gcj02"`},
				{8, "hours", "HH:MM-HH:MM", `"dawn"`},
				{9, "id", "each id once", `"s6" as in row 8`},
				{10, "name", "one line", `"a\nb"`},
			},
		},
		"contacts": {
			contactFiles(), "id,duty,areas,name,phone,webhook\n-,fire,,赵一曼,,\nc1,cook,,赵一曼,13800000000,\nc2,fire,here;nowhere,赵一曼,,\nc3,fire,,,13800000000,\n" +
				"c4,fire,,赵一曼,,nowhere/?key=hunter2\nc5,fire,,\"赵\n曼\",,\nc6,fire,,赵一曼,\"138\n00000000\",\nc6,fire,,赵一曼,,\n",
			[]RowError{
				{2, "id", "1 to 64", `"-"`},
				{3, "duty", "sanitation, tech, fire, duty", `"cook"`},
				{4, "areas", "registered areas", `"nowhere"`},
				{5, "name", "a name", "nothing"},
				{6, "webhook", "URL", "another text"},
				{7, "name", "a name", "another text"},
				{9, "phone", "one telephone number", "another text"},
				{11, "id", "each id once", `"c6" as in row 9`},
			},
		},
		"a contact without a name": {contactFiles(), "id,duty\nc1,fire\n", []RowError{{2, "name", "a name", "nothing"}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := openTest(t)
			check(t, r.PutAreas(t.Context(), "t", []Area{{ID: "here", Name: "Here"}}))
			before := r.View()
			_, err := tc.files.read(r, tc.file)
			faults, ok := errors.AsType[ImportErrors](err)
			if !ok || len(faults) != len(tc.want) {
				t.Fatalf("error:\n%v\nwant:\n%v", err, ImportErrors(tc.want))
			}
			for i := range faults {
				if !sameFault(faults[i], tc.want[i]) {
					t.Errorf("fault %q, want %q", faults[i], tc.want[i])
				}
			}
			for _, hidden := range []string{"hunter2", "赵", "13800000000"} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("the error repeats %q: %v", hidden, err)
				}
			}
			if r.View() != before {
				t.Error("a faulty file changed the registry")
			}
		})
	}
}

// Without the key nobody's telephone can be read, so none is changed field by field.
func TestContactsImportWantsTheKey(t *testing.T) {
	p := newPlace(t)
	check(t, p.open(t).PutContacts(t.Context(), "t", []Contact{{ID: "crew", Duty: DutyFire}}, crew()))
	p.key += ".lost"
	r := p.open(t)
	if _, err := contactFiles().read(r, "id,phone\ncrew,1\n"); !errors.Is(err, ErrKey) {
		t.Errorf("error %v, want ErrKey", err)
	}
	if report, err := contactFiles().read(r, "id,duty\ncrew,tech\n"); err != nil || report.Changed != 1 {
		t.Errorf("another duty: %+v, %v, want it changed", report, err)
	}
}

// Whatever places and contacts are registered, their export is a file that changes nothing, and that makes the same places
// elsewhere.
func TestSiteFilesRoundTrip(t *testing.T) {
	keys := newPlace(t)
	text := rapid.OneOf(rapid.StringOf(rapid.RuneFrom([]rune(`=+-@'",;ab 洪 `))), rapid.String())
	rapid.Check(t, func(rt *rapid.T) {
		fresh := func() *Registry {
			r := (&place{&memChain{id: "c"}, &memShelf{values: map[string][]byte{}}, keys.key}).open(rt)
			check(rt, r.PutAreas(context.Background(), "t", []Area{{ID: "a1", Name: "x"}, {ID: "a2", Name: "x"}}))
			return r
		}
		from, to := fresh(), fresh()
		for i := range rapid.IntRange(0, 4).Draw(rt, "sites") {
			p := Place{ID: fmt.Sprintf("s%d", i), Name: text.Draw(rt, "name"), Area: rapid.SampledFrom([]string{"", "a1"}).Draw(rt, "area")}
			p.Hours = rapid.SampledFrom([]string{"", "05:30-20:30", "22:00-06:00; 12:00-13:00"}).Draw(rt, "hours")
			if rapid.Bool().Draw(rt, "placed") {
				lat, lon := rapid.Float64Range(-90, 90).Draw(rt, "lat"), rapid.Float64Range(-180, 180).Draw(rt, "lon")
				p.Lat, p.Lon = &lat, &lon
			}
			_ = from.PutPlaces(context.Background(), "t", []Place{p}) // a name that is refused is not in the file
			c := Contact{ID: p.ID, Duty: rapid.SampledFrom(Duties()).Draw(rt, "duty"), Webhook: rapid.SampledFrom([]string{"", "https://h/?a=1,2;\"3"}).Draw(rt, "hook")}
			c.Areas = rapid.SliceOfN(rapid.SampledFrom([]string{"a1", "a2"}), 0, 3).Draw(rt, "areas")
			check(rt, from.PutContacts(context.Background(), "t", []Contact{c}, map[string]Reach{c.ID: {Name: "x"}}))
		}
		for _, files := range []sites{placeFiles(), contactFiles()} {
			before := from.View()
			file := files.write(rt, from)
			if _, err := files.read(from, file); err != nil || from.View() != before {
				rt.Fatalf("an export does not import as no change: %v\n%s", err, file)
			}
			checkNoFormulas(rt, file)
		}
		if _, err := placeFiles().read(to, placeFiles().write(rt, from)); err != nil {
			rt.Fatalf("import of an export: %v", err)
		}
		if diff := cmp.Diff(from.View().Places(), to.View().Places()); diff != "" {
			rt.Fatalf("places (-exported +imported):\n%s", diff)
		}
	})
}

func TestExportOfContactsHoldsNobody(t *testing.T) {
	r := openTest(t)
	check(t, r.PutContacts(t.Context(), "t", []Contact{{ID: "crew", Duty: DutyFire}}, crew()))
	if file := contactFiles().write(t, r); file != "id,duty,areas,webhook\ncrew,fire,,\n" {
		t.Errorf("the export is %q", file)
	}
}

func FuzzImportPlaces(f *testing.F) {
	f.Add("id,name,area,lat,lon,crs,hours\ns1,投放点,,31,121,wgs84,06:30-09:00;18:00-20:30\n")
	f.Add("id,hours\ns1,22:00-06:00\n")
	f.Add("id,name\ns1,'=x\n")
	fuzzSites(f, placeFiles())
}

func FuzzImportContacts(f *testing.F) {
	f.Add("id,duty,areas,webhook,name,phone\nc1,fire,a1;a2,https://h/,李,1\n")
	f.Add("id,duty,name\nc1,duty,\"x\n")
	fuzzSites(f, contactFiles())
}

// fuzzSites: whatever is fed to the import, it does all or nothing, and what it accepts it can export and read again.
func fuzzSites(f *testing.F, files sites) {
	keys := newPlace(f)
	f.Fuzz(func(t *testing.T, file string) {
		r := (&place{&memChain{id: "c"}, &memShelf{values: map[string][]byte{}}, keys.key}).open(t)
		before := r.View()
		if _, err := files.read(r, file); err != nil {
			if r.View() != before {
				t.Fatal("a refused file changed the registry")
			}
			return
		}
		after := r.View()
		if report, err := files.read(r, files.write(t, r)); err != nil || report.Added+report.Changed != 0 || r.View() != after {
			t.Fatalf("an export does not import as no change: %+v, %v", report, err)
		}
	})
}
